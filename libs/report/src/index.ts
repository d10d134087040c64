export { chartFile } from './chart.js';
export type { Measured, Served } from './curves.js';
export type { Finding } from './figure.js';
export { measuredAgainstPredicted, modelPage } from './model-report.js';
export * from './replication-report.js';
