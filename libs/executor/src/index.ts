export * from './adapter-module.js';
export * from './error.js';
export * from './executor.js';
export * from './executor-host.js';
export * from './host.js';
export * from './measure-spec.js';
export * from './probe.js';
export * from './system-clock.js';
