export * from './alpha.js';
export * from './canonical-spec.js';
export * from './conv-spec.js';
export * from './work.js';
