export * from './config.js';
export * from './config-error.js';
export * from './directory.js';
export * from './environment.js';
export * from './listening.js';
export * from './trust.js';
export * from './test-adapter.js';
