import fc from 'fast-check';
import type { DatasetRow } from '@alphaflops/contracts';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { DatasetError } from '../dataset-error.js';
import { COLUMNS, columnsOfDataset } from './columns.js';
import { readRowsCsv, writeRowsCsv } from './csv.js';
import { readRowsJsonl, writeRowsJsonl } from './jsonl.js';
import { readRowsParquet } from './parquet-read.js';
import { writeRowsParquet } from './parquet-write.js';
import type { NumberedRow } from './rows.js';
import { anyRow } from './snapshot.spec-helper.js';

const WITH_ALL = columnsOfDataset({ energyColumns: true, kernelColumns: true });
const rows = fc.sample(anyRow, { numRuns: 40, seed: 3 });

async function bytesOf(pieces: AsyncIterable<string | Uint8Array>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(Buffer.from(piece));
  return Buffer.concat(all);
}
const bufferOf = (bytes: Uint8Array) => new Uint8Array(bytes).buffer;

async function read(found: AsyncIterable<NumberedRow>): Promise<DatasetRow[]> {
  const all: DatasetRow[] = [];
  for await (const { row } of found) all.push(row);
  return all;
}

async function refusal(found: AsyncIterable<NumberedRow>): Promise<DatasetError> {
  const result: unknown = await read(found).catch((error: unknown) => error);
  if (result instanceof DatasetError) return result;
  throw new Error(`expected a DatasetError, got ${String(result)}`);
}

describe('text', () => {
  it('is read back the same for any content', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyRow, { minLength: 1, maxLength: 3 }), async (some) => {
        const csv = (await bytesOf(writeRowsCsv(some, WITH_ALL))).toString();
        expect(await read(readRowsCsv(csv, 'a.csv'))).toEqual(some);
        const jsonl = (await bytesOf(writeRowsJsonl(some))).toString();
        expect(await read(readRowsJsonl(jsonl, 'a.jsonl'))).toEqual(some);
      }),
      { numRuns: 25 },
    );
  });

  it.each([
    ['a quote that is never closed', '"', 'too-long', 2],
    ['one endless line', 'x', 'too-long', 2],
  ])('is refused with its line: %s', async (_what, start, code, line) => {
    const header = COLUMNS.map(({ name }) => name).join();
    async function* endless() {
      yield `${header}\n${start}`;
      for (;;) yield await Promise.resolve('x'.repeat(65_536));
    }
    expect(await refusal(readRowsCsv(endless(), 'bomb.csv'))).toMatchObject({ code, line });
  });

  it('is refused with line and column', async () => {
    const [header = '', ...lines] = (await bytesOf(writeRowsJsonl(rows.slice(0, 2)))).toString().split('\n');
    const wrong = header.replace(/"stride":\d+/, '"stride":"2"');
    const error = await refusal(readRowsJsonl([wrong, ...lines].join('\n'), 'a.jsonl'));
    expect(error).toMatchObject({ code: 'invalid-value', line: 1, column: 'stride' });
    expect(error.message).toContain('a.jsonl, line 1, column stride');
  });
});

describe('Parquet', () => {
  const whole = async () => bytesOf(writeRowsParquet(rows, WITH_ALL, 15));

  it('is read back the same', async () => {
    expect(await read(readRowsParquet(bufferOf(await whole()), 'a.parquet'))).toEqual(rows);
  });

  // A seed chooses the damage. About one damaged byte in 500 makes a run of levels that keeps hyparquet busy for
  // minutes (docs/datasets.md). The command line stops reading such a file.
  it('is read, or is refused with a message, if it is cut or a byte is changed', async () => {
    const good = await whole();
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), async (at, by) => {
        const damaged = Buffer.from(good);
        damaged[at] = (damaged[at] ?? 0) ^ by;
        for (const bytes of [damaged, good.subarray(0, at)]) {
          await read(readRowsParquet(bufferOf(bytes), 'a.parquet')).catch((error: unknown) => {
            expect(error).toBeInstanceOf(DatasetError);
          });
        }
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it('is refused if a column is missing or has another type', async () => {
    const bytes = new ByteWriter();
    const schema = [
      { name: 'root', num_children: 1 },
      { name: 'sample_id', type: 'INT32' as const, repetition_type: 'REQUIRED' as const },
    ];
    const file = new ParquetWriter({ writer: bytes, schema });
    void file.write({ columnData: [{ name: 'sample_id', data: [1] }] });
    void file.finish();
    expect(await refusal(readRowsParquet(bytes.getBuffer(), 'a.parquet'))).toMatchObject({
      code: 'missing-column',
      column: 'batch',
    });
  });

  it('is refused with the column if its pages claim more than is possible', async () => {
    const good = await whole();
    // The header of the first page: type, unpacked bytes, packed bytes, each a varint after the byte of its field.
    const header = good.indexOf(Buffer.from([0x15, 0x06, 0x15]));
    expect(header).toBe(4);
    const end = header + 3 + good.subarray(header + 3).findIndex((byte) => byte < 128) + 1;
    const bomb = Buffer.concat([
      good.subarray(0, header + 3),
      Buffer.from([0xfe, 0xff, 0xff, 0xff, 0x0f]),
      good.subarray(end),
    ]);
    const error = await refusal(readRowsParquet(bufferOf(bomb), 'bomb.parquet'));
    expect(error).toMatchObject({ code: 'malformed', line: 1, column: 'sample_id' });
    expect(error.message).toContain('claims more than');
  });
});
