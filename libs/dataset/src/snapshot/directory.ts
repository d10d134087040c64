import { createHash } from 'node:crypto';
import {
  type Dataset,
  type DatasetFormat,
  type DatasetRow,
  DatasetRowSchema,
  type Model,
  type Provenance,
} from '@alphaflops/contracts';
import { PADDINGS } from '@alphaflops/conv';
import { z } from 'zod';
import { dataCard } from './card.js';
import { croissant, type WrittenFile } from './croissant.js';
import { ALL_COLUMNS, columnsOfDataset, type FurtherColumns, hasGroup } from './columns.js';
import { writeRowsCsv } from './csv.js';
import { writeRowsJsonl } from './jsonl.js';
import { licenceText } from './licences.js';
import { writeRowsParquet } from './parquet-write.js';
import { DATA_FILES } from './rows.js';

/** All parts of a published data set. */
export interface DatasetParts {
  readonly dataset: Dataset;
  readonly rows: () => AsyncIterable<DatasetRow>;
  readonly provenance: Provenance[];
  /** The models that `dataset.fitInputs` names. */
  readonly models: readonly Model[];
  /** The labels of the maps that `dataset.kernelMaps` names, as CSV. */
  readonly kernelMaps?: readonly { readonly id: string; readonly csv: string }[];
}

/** One file of a data set's directory. */
export interface DatasetFile {
  /** Relative path with slashes. */
  readonly path: string;
  /** Read it in full before the content of the next file, because later files have the checksums of earlier ones. */
  readonly content: () => AsyncIterable<string | Uint8Array>;
}

export const CHECKSUMS = 'SHA256SUMS';

/** Rows as a file of that format, in pieces. */
export function writeRows(
  rows: AsyncIterable<DatasetRow>,
  format: DatasetFormat,
  dataset: FurtherColumns,
): AsyncGenerator<string | Uint8Array> {
  switch (format) {
    case 'parquet':
      return writeRowsParquet(rows, columnsOfDataset(dataset));
    case 'csv':
      return writeRowsCsv(rows, columnsOfDataset(dataset));
    case 'jsonl':
      return writeRowsJsonl(rows);
  }
}

/**
 * The files of a published data set, the rows first and the checksums last. The use of memory does not depend on the
 * number of rows.
 */
export function datasetFiles(parts: DatasetParts, format: DatasetFormat): DatasetFile[] {
  const { dataset, rows, provenance, models, kernelMaps = [] } = parts;
  const written = new Map<string, WrittenFile>();
  const file = (path: string, content: () => string | AsyncIterable<string | Uint8Array>): DatasetFile => ({
    path,
    content: () => summed(path, content(), written),
  });
  const data = DATA_FILES[format].path;
  const dataFile = (): WrittenFile => {
    const found = written.get(data);
    if (found === undefined) throw new Error('the rows come first');
    return found;
  };
  return [
    file(data, () => writeRows(rows(), format, dataset)),
    file('README.md', () => dataCard(dataset, format, { provenance, models })),
    file('LICENSE', () => licenceText(dataset)),
    file('dataset.json', () => document(dataset)),
    file('schema.json', () => document(rowJsonSchema(dataset))),
    file('croissant.json', () => document(croissant(dataset, format, dataFile()))),
    file('provenance.jsonl', () => provenance.map((record) => `${JSON.stringify(record)}\n`).join('')),
    ...models.map((model) => file(`models/${model.id ?? ''}.json`, () => document(model))),
    ...kernelMaps.map(({ id, csv }) => file(`kernel-maps/${id}.csv`, () => csv)),
    {
      path: CHECKSUMS,
      content: () => summed(CHECKSUMS, checksums(written), new Map()),
    },
  ];
}

/** JSON Schema (2020-12) of a row. It has the optional columns only if the data set has them. */
export function rowJsonSchema(dataset: FurtherColumns): object {
  return z.toJSONSchema(DatasetRowSchema, {
    io: 'output',
    override: ({ zodSchema, jsonSchema }) => {
      const { properties } = jsonSchema;
      if (zodSchema !== DatasetRowSchema || properties === undefined) return;
      for (const { name, group } of ALL_COLUMNS) {
        if (group !== null && !hasGroup(dataset, group)) Reflect.deleteProperty(properties, name);
      }
      if (hasGroup(dataset, 'optional')) return;
      Object.assign(properties['padding'] ?? {}, { enum: PADDINGS.filter((name) => name !== 'explicit') });
    },
  });
}

function document(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** As the program sha256sum writes and checks them. */
function checksums(written: ReadonlyMap<string, WrittenFile>): string {
  return [...written].map(([path, { sha256 }]) => `${sha256}  ${path}\n`).join('');
}

async function* summed(
  path: string,
  content: string | AsyncIterable<string | Uint8Array>,
  written: Map<string, WrittenFile>,
): AsyncGenerator<string | Uint8Array> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const piece of typeof content === 'string' ? [content] : content) {
    hash.update(piece);
    bytes += typeof piece === 'string' ? Buffer.byteLength(piece) : piece.byteLength;
    yield piece;
  }
  written.set(path, { sha256: hash.digest('hex'), bytes });
}
