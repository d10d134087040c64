export * from './dataset-imports.service.js';
export * from './datasets.service.js';
