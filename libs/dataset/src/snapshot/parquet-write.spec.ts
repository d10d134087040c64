import { parquetReadObjects } from 'hyparquet';
import fc from 'fast-check';
import { COLUMNS } from './columns.js';
import { writeRowsParquet } from './parquet-write.js';
import { rowOfSample, sampleOfRow } from './row.js';
import { anyRow } from './snapshot.spec-helper.js';

async function bytesOf(pieces: AsyncIterable<Uint8Array>): Promise<ArrayBuffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  const whole = Buffer.concat(all);
  return whole.buffer.slice(whole.byteOffset, whole.byteOffset + whole.byteLength);
}

describe('a row', () => {
  it('is a sample, in full', () => {
    fc.assert(
      fc.property(anyRow, (row) => {
        expect(rowOfSample(sampleOfRow(row))).toEqual(row);
      }),
    );
  });

  it('has its columns in their order', () => {
    const [row] = fc.sample(anyRow, 1);
    expect(Object.keys(row ?? {})).toEqual(COLUMNS.map(({ name }) => name));
  });
});

describe('rows as Parquet', () => {
  it('are read back the same, over several row groups', async () => {
    const rows = fc.sample(anyRow, { numRuns: 300, seed: 1 });
    const file = await bytesOf(writeRowsParquet(rows, COLUMNS, 100));
    const read = await parquetReadObjects({ file });
    const plain = (row: object) =>
      Object.entries(row).map(([name, value]: [string, unknown]) => [
        name,
        typeof value === 'bigint' ? Number(value) : (value ?? null),
      ]);
    expect(read.map(plain)).toEqual(rows.map(plain));
  });
});
