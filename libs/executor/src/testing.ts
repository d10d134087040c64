/** `@alphaflops/executor/testing`: the fake executor (an adapter module) and the conformance suite of adapters. */
export * from './conformance.js';
export * from './fake-executor.js';
export * from './meter-conformance.js';
