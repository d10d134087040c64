export * from './alpha.js';
export * from './conv-spec.js';
export * from './work.js';
