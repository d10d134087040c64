import { parquetReadObjects } from 'hyparquet';
import fc from 'fast-check';
import { columnsOfDataset } from './columns.js';
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
    for (const row of fc.sample(anyRow, 20)) {
      const columns = columnsOfDataset({
        ...('energy_meter' in row && { energyColumns: true }),
        ...('kernel' in row && { kernelColumns: true }),
      });
      expect(Object.keys(row)).toEqual(columns.map(({ name }) => name));
    }
  });
});

describe('rows as Parquet', () => {
  it('are read back the same, over several row groups', async () => {
    const rows = fc.sample(anyRow, { numRuns: 300, seed: 1 });
    const columns = columnsOfDataset({ energyColumns: true, kernelColumns: true });
    const file = await bytesOf(writeRowsParquet(rows, columns, 100));
    const read = await parquetReadObjects({ file });
    const plain = (row: object) =>
      columns.map(({ name }) => {
        const value = (row as Record<string, unknown>)[name];
        return [name, typeof value === 'bigint' ? Number(value) : (value ?? null)];
      });
    expect(read.map(plain)).toEqual(rows.map(plain));
  });
});
