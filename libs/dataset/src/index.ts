export { DatasetError, MAX_PROBLEMS, type DatasetErrorCode, type DatasetProblem } from './dataset-error.js';
export * from './digest.js';
export * from './jsonl.js';
export { readAllSamples, readSamples, readSpecs, type SampleRow, type SpecRow } from './read.js';
export { EXTRA_COLUMNS, type ExtraColumn, type Extras } from './row-reader.js';
export { MAX_RECORD_BYTES, type TextSource } from './text-source.js';
export * from './write.js';
