export * from './driver.js';
export * from './error.js';
export * from './gpu.js';
export * from './library.js';
export * from './nvml.js';
export * from './versions.js';
