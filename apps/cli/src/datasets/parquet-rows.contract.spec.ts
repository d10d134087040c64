import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatasetError, type NumberedRow, rowOfSample, writeRowsParquet } from '@alphaflops/dataset';
import { buildSample } from '@alphaflops/store/conformance';
import { parquetRows } from './parquet-rows.js';

const COUNT = 40;
const rows = Array.from({ length: COUNT }, (_, specIndex) => rowOfSample(buildSample({ specIndex })));
const directory = mkdtempSync(join(tmpdir(), 'alphaflops-parquet-'));
const path = join(directory, 'samples.parquet');
let good: Buffer;

beforeAll(async () => {
  const pieces: Uint8Array[] = [];
  for await (const piece of writeRowsParquet(rows)) pieces.push(piece);
  good = Buffer.concat(pieces);
});
beforeEach(() => {
  writeFileSync(path, good);
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

async function read(found: AsyncIterable<NumberedRow>): Promise<NumberedRow[]> {
  const all: NumberedRow[] = [];
  for await (const row of found) all.push(row);
  return all;
}

async function refusal(found: AsyncIterable<NumberedRow>): Promise<DatasetError> {
  const result: unknown = await read(found).catch((error: unknown) => error);
  if (result instanceof DatasetError) return result;
  throw new Error(`expected a DatasetError, got ${String(result)}`);
}

describe('rows of a Parquet file, read in a thread', () => {
  it('are those of the file, and the reader can stop early', async () => {
    expect(await read(parquetRows(path))).toEqual(rows.map((row, at) => ({ line: at + 1, row })));
    for await (const { line } of parquetRows(path)) {
      expect(line).toBe(1);
      break;
    }
  });

  it('are refused with the error of the reader', async () => {
    writeFileSync(path, good.subarray(0, 1_000));
    expect(await refusal(parquetRows(path))).toMatchObject({ code: 'malformed', file: path });
    rmSync(path);
    await expect(read(parquetRows(path))).rejects.toThrow(/ENOENT/);
  });

  it('are not read further if one damaged byte makes runs that keep the reader busy for minutes', async () => {
    // In the header of a page: number of values, none of them null, number of rows, plain, two bytes of levels.
    const size = 2 * COUNT;
    const header = Buffer.from([0x15, size, 0x15, 0, 0x15, size, 0x15, 0, 0x15, 4]);
    const at = good.indexOf(header);
    expect(at).toBeGreaterThan(0);
    const damaged = Buffer.from(good);
    damaged[at + 5] = 0xb4;
    writeFileSync(path, damaged);
    const { message } = await refusal(parquetRows(path, { ms: 1_000, heapMib: 512 }));
    expect(message).toBe(
      `${path}: reading its next rows takes more than 1 s: the file is damaged or malicious`,
    );
  });

  it('are not read further if they use too much memory', async () => {
    const { message } = await refusal(parquetRows(path, { ms: 30_000, heapMib: 8 }));
    expect(message).toContain('takes more than 8 MiB of memory');
  });
});
