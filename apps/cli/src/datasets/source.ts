import { lstat, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  DATASET_FORMATS,
  type Dataset,
  DatasetSchema,
  type Provenance,
  ProvenanceSchema,
} from '@alphaflops/contracts';
import {
  DATA_FILES,
  hasDatasetRows,
  type NumberedRow,
  readRowsCsv,
  readRowsJsonl,
} from '@alphaflops/dataset';
import { z } from 'zod';
import { CliError } from '../error.js';
import { readInput } from '../files.js';
import { parquetRows } from './parquet-rows.js';

/** Largest file of a data set other than its rows. */
const MAX_DOCUMENT_BYTES = 256 * 2 ** 20;
/** Number of bytes that is enough for the header of a table. */
const PEEK_BYTES = 65_536;

/** Rows of a data set in a file, which may be read more than once. */
export interface RowFile {
  readonly path: string;
  readonly rows: () => AsyncIterable<NumberedRow>;
}

/** A directory that `dataset export` wrote, or that claims to be one. */
export interface DatasetDirectory extends RowFile {
  readonly dataset: Dataset;
  readonly provenance: Provenance[];
}

export type Source =
  | ({ readonly kind: 'directory' } & DatasetDirectory)
  | ({ readonly kind: 'rows' } & RowFile)
  /** A table in another layout: canonical, the authors' or the replication's. */
  | { readonly kind: 'table'; readonly path: string };

/** @throws CliError `bad-input`, DatasetError */
export async function sourceAt(path: string): Promise<Source> {
  const found = await lstat(path).catch(() => null);
  if (found === null) throw new CliError('bad-input', `There is no file or directory ${path}.`);
  if (found.isDirectory()) return { kind: 'directory', ...(await readDirectory(path)) };
  const start = await startOf(path);
  if (start.startsWith('PAR1')) return { kind: 'rows', path, rows: () => parquetRows(path) };
  const [line = ''] = start.replace(/^\ufeff/, '').split(/\r|\n/, 1);
  if (line.startsWith('{')) {
    return hasDatasetRows(keysOf(line))
      ? { kind: 'rows', path, rows: () => readRowsJsonl(readInput(path), path) }
      : { kind: 'table', path };
  }
  const columns = line.split(',').map((cell) => cell.replaceAll('"', '').trim());
  return hasDatasetRows(columns)
    ? { kind: 'rows', path, rows: () => readRowsCsv(readInput(path), path) }
    : { kind: 'table', path };
}

/** @throws CliError `bad-input` */
export async function readDirectory(path: string): Promise<DatasetDirectory> {
  const dataset = await readRecord(join(path, 'dataset.json'));
  const provenance = await readProvenance(join(path, 'provenance.jsonl'));
  return { ...(await rowFileIn(path)), dataset, provenance };
}

/** The one file with rows in a directory. */
export async function rowFileIn(directory: string): Promise<RowFile> {
  const present = [];
  for (const format of DATASET_FORMATS) {
    const path = join(directory, DATA_FILES[format].path);
    if ((await lstat(path).catch(() => null))?.isFile() === true) present.push({ format, path });
  }
  const [only, ...others] = present;
  if (only === undefined || others.length > 0) {
    const names = DATASET_FORMATS.map((format) => DATA_FILES[format].path).join(', ');
    throw new CliError('bad-input', `${directory}: expected one of ${names}, found ${present.length}.`);
  }
  const { format, path } = only;
  const readers = {
    parquet: () => parquetRows(path),
    csv: () => readRowsCsv(readInput(path), path),
    jsonl: () => readRowsJsonl(readInput(path), path),
  };
  return { path, rows: readers[format] };
}

export async function readRecord(path: string): Promise<Dataset> {
  const parsed = DatasetSchema.safeParse(jsonOf(path, await readDocument(path)));
  if (parsed.success) return parsed.data;
  throw new CliError('bad-input', `${path} is not a record of a data set: ${z.prettifyError(parsed.error)}`);
}

export async function readProvenance(path: string): Promise<Provenance[]> {
  const lines = (await readDocument(path)).split('\n');
  return lines.flatMap((line, at) => {
    if (line.trim() === '') return [];
    const parsed = ProvenanceSchema.safeParse(jsonOf(`${path}, line ${at + 1}`, line));
    if (parsed.success) return [parsed.data];
    throw new CliError(
      'bad-input',
      `${path}, line ${at + 1} is not a provenance record: ${z.prettifyError(parsed.error)}`,
    );
  });
}

/** The text of a regular file that is not too large. The function does not follow links. */
export async function readDocument(path: string): Promise<string> {
  const found = await lstat(path).catch(() => null);
  if (found?.isFile() !== true)
    throw new CliError('bad-input', `${path} is missing, or is not a regular file.`);
  if (found.size > MAX_DOCUMENT_BYTES) throw new CliError('bad-input', `${path} is too large to be read.`);
  return readFile(path, 'utf8');
}

function jsonOf(what: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CliError('bad-input', `${what} is not JSON.`, { cause });
  }
}

async function startOf(path: string): Promise<string> {
  const file = await open(path).catch((cause: unknown) => {
    throw new CliError('bad-input', `Cannot read ${path}.`, { cause });
  });
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(PEEK_BYTES), 0, PEEK_BYTES, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** The top-level names of one JSON object. If the text was cut, the visible names. */
function keysOf(line: string): string[] {
  return [...line.matchAll(/"([a-z0-9_]+)"\s*:/g)].map(([, key]) => key ?? '');
}
