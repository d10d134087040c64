export { DatasetError, MAX_PROBLEMS, type DatasetErrorCode, type DatasetProblem } from './dataset-error.js';
export * from './digest.js';
export { readSamplesJsonl, writeSamplesJsonl } from './jsonl.js';
export {
  readAllSamples,
  readSamples,
  readSpecs,
  type OnIgnored,
  type SampleRow,
  type SpecRow,
} from './read.js';
export { EXTRA_COLUMNS, type ExtraColumn, type Extras } from './row-reader.js';
export { MAX_RECORD_BYTES, type TextSource } from './text-source.js';
export { readKernelLabels, writeKernelLabels, type LabelledSpec } from './kernel-labels.js';
export * from './write.js';
export { COLUMNS, type Column } from './snapshot/columns.js';
export { DatasetDigest } from './snapshot/digest.js';
export {
  CHECKSUMS,
  datasetFiles,
  rowJsonSchema,
  writeRows,
  type DatasetFile,
  type DatasetParts,
} from './snapshot/directory.js';
export { readRowsCsv } from './snapshot/csv.js';
export { readRowsJsonl, writeRowsJsonl } from './snapshot/jsonl.js';
export { readRowsParquet } from './snapshot/parquet-read.js';
export { writeRowsParquet } from './snapshot/parquet-write.js';
export { blankRow, extrasOfSample, rowOfSample, sampleOfRow, specOfRow } from './snapshot/row.js';
export { hasDatasetRows } from './snapshot/row-parser.js';
export { DATA_FILES, type NumberedRow } from './snapshot/rows.js';
export { FitInputFinder, fitRowOf, type FitRow } from './snapshot/fit-inputs.js';
export { DatasetSummary } from './snapshot/summary.js';
