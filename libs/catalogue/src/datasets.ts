export * from './dataset-imports.service.js';
export * from './datasets.service.js';
export * from './kernel-maps/kernel-maps.service.js';
