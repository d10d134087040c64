import { CONV_SPEC_DEFAULTS } from '@alphaflops/conv';
import fc from 'fast-check';
import { DatasetError, readAllSamples, readSpecs, type SampleRow, type TextSource } from './index.js';

const HEADER = 'batch,height,width,cin,cout,kernel_h,kernel_w,stride,groups,dtype,time_ms';
const ROW = '2,56,56,64,128,3,3,1,1,f16,0.25';
const SPEC = {
  ...CONV_SPEC_DEFAULTS,
  batch: 2,
  height: 56,
  width: 56,
  cin: 64,
  cout: 128,
  kernel_h: 3,
  kernel_w: 3,
  dtype: 'f16',
};

async function specRows(text: TextSource) {
  const rows = [];
  for await (const row of readSpecs(text, 'specs.csv')) rows.push(row);
  return rows;
}

async function refusal(text: TextSource): Promise<DatasetError> {
  const result: unknown = await readAllSamples(text, 'train.csv').catch((error: unknown) => error);
  if (result instanceof DatasetError) return result;
  throw new Error(`expected a DatasetError, got ${JSON.stringify(result)}`);
}

describe('canonical layout', () => {
  it('is read', async () => {
    expect(await readAllSamples(`${HEADER}\n${ROW}\n`, 'a.csv')).toEqual([
      { line: 2, spec: SPEC, timeMs: 0.25, extras: {} },
    ]);
  });

  it('keeps the kernel and a workspace of 0 bytes; an unknown kernel is absent', async () => {
    const header = `${HEADER},kernel,workspace_bytes`;
    const rows = await readAllSamples(`${header}\n${ROW},eng0,0\n${ROW},,nan\n`, 'a.csv');
    expect(rows.map(({ extras }) => extras)).toEqual([{ kernel: 'eng0', workspace_bytes: 0 }, {}]);
    const [spec] = await specRows(`${header}\n${ROW},eng0,0\n`);
    expect(spec?.extras).toEqual({ kernel: 'eng0', workspace_bytes: 0 });
  });

  it('refuses a kernel with a blank and a workspace below 0, with line and column', async () => {
    const { problems } = await refusal(`${HEADER},kernel,workspace_bytes\n${ROW},eng 0,-1\n`);
    expect(problems).toEqual([
      expect.objectContaining({ code: 'invalid-value', line: 2, column: 'kernel' }),
      expect.objectContaining({ code: 'invalid-value', line: 2, column: 'workspace_bytes' }),
    ]);
  });

  it('accepts columns in any order, fills in absent ones, keeps the known further ones', async () => {
    const text =
      'time_ms,note,cout,cin,width,height,kernel_w,kernel_h,energy_mj,eager_ms\n1e-3,x,8,4,7,9,1,3,14.5,nan\n';
    expect(await readAllSamples(text, 'a.csv')).toEqual([
      {
        line: 2,
        spec: { ...CONV_SPEC_DEFAULTS, height: 9, width: 7, cin: 4, cout: 8, kernel_h: 3, kernel_w: 1 },
        timeMs: 0.001,
        extras: { energy_mj: 14.5 },
      },
    ]);
  });

  it('reads padding and layout', async () => {
    const [row] = await readAllSamples(`${HEADER},padding,layout\n${ROW},valid,NHWC`, 'a.csv');
    expect(row?.spec).toEqual({ ...SPEC, padding: 'valid', layout: 'NHWC' });
  });

  it.each([
    ['a byte order mark', `\ufeff${HEADER}\n${ROW}\n`],
    ['CRLF', `${HEADER}\r\n${ROW}\r\n`],
    ['CR', `${HEADER}\r${ROW}\r`],
    ['no last line end', `${HEADER}\n${ROW}`],
    [
      'quoted cells and blanks',
      `"${HEADER.replaceAll(',', '", "')}"\n" 2", 56 ,"56",64,128,3,3,1,1,"f16",0.25`,
    ],
    ['empty lines', `${HEADER}\n\n${ROW}\n\n`],
  ])('accepts %s', async (_what, text) => {
    const [row, ...more] = await readAllSamples(text, 'a.csv');
    expect(row).toMatchObject({ spec: SPEC, timeMs: 0.25 });
    expect(more).toEqual([]);
  });

  it('accepts any division of the bytes into pieces', async () => {
    const text = `\ufeff${HEADER},note\r\n${ROW},"é ""q""\n,"\r\n${ROW},ü\r\n`;
    const whole = await readAllSamples(text, 'a.csv');
    expect(whole).toHaveLength(2);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), async (sizes) => {
        async function* cut() {
          const bytes = Buffer.from(text);
          for (let at = 0, i = 0; at < bytes.length; i++) {
            const size = sizes[i % sizes.length] ?? 1;
            yield await Promise.resolve(bytes.subarray(at, at + size));
            at += size;
          }
        }
        expect(await readAllSamples(cut(), 'a.csv')).toEqual(whole);
      }),
      { numRuns: 30 },
    );
  });
});

describe('foreign layouts', () => {
  it('reads the authors’', async () => {
    const text =
      'series,line,H,W,Cin,Cout,K1,K2,T_ms\nconv_K_vs_S,0,150,140,50,60,2,3,0.28\nincreasing_batch,1,62,1,6400,6400,1,1,5.5\n';
    const rows = await readAllSamples(text, 'a.csv');
    expect(rows.map(({ spec, timeMs }) => [spec, timeMs])).toEqual([
      [{ ...CONV_SPEC_DEFAULTS, height: 150, width: 140, cin: 50, cout: 60, kernel_h: 2, kernel_w: 3 }, 0.28],
      [
        {
          ...CONV_SPEC_DEFAULTS,
          batch: 62,
          height: 1,
          width: 1,
          cin: 6400,
          cout: 6400,
          kernel_h: 1,
          kernel_w: 1,
        },
        5.5,
      ],
    ]);
  });

  it('reads the replication’s, in seconds', async () => {
    const [row] = await readAllSamples('W,H,Cin,Cout,K,avg_time,FLOPs\n10,20,3,4,5,0.002,60000\n', 'a.csv');
    expect(row).toMatchObject({
      spec: { height: 20, width: 10, cin: 3, cout: 4, kernel_h: 5, kernel_w: 5 },
      timeMs: 2,
    });
  });

  it('names their own columns in messages', async () => {
    expect((await refusal('W,H,Cin,Cout,K,avg_time\n10,20,3,4,0,0.002\n')).message).toBe(
      'train.csv, line 2, column K: expected a whole number from 1 to 1048576, found "0"',
    );
    expect((await refusal('W,H,Cin,Cout,avg_time\n')).message).toBe(
      'train.csv, line 1, column K: expected the columns of the replication layout, missing K',
    );
    const dense = 'series,H,W,Cin,Cout,K1,K2,T_ms\nincreasing_batch,-3,1,8,8,1,1,1\n';
    expect(await refusal(dense)).toMatchObject({ line: 2, column: 'H' });
  });
});

describe('rows without times', () => {
  it('keep all their cells', async () => {
    const columns = ['height', 'note', 'width', 'cin', 'cout', 'kernel_h', 'kernel_w', 'time_ms'];
    expect(await specRows(`${columns.join()}\n4,"a,b",5,6,7,1,1,not yet\n`)).toEqual([
      {
        line: 2,
        spec: { ...CONV_SPEC_DEFAULTS, height: 4, width: 5, cin: 6, cout: 7, kernel_h: 1, kernel_w: 1 },
        extras: {},
        columns,
        cells: ['4', 'a,b', '5', '6', '7', '1', '1', 'not yet'],
      },
    ]);
  });
});

describe('bad input', () => {
  it.each([
    ['cin', '2,56,56,-64,128,3,3,1,1,f16,0.25', 'expected a whole number from 1 to 1048576, found "-64"'],
    ['width', '2,56,NaN,64,128,3,3,1,1,f16,0.25', 'expected a whole number from 1 to 1048576, found "NaN"'],
    ['height', '2,5.6,56,64,128,3,3,1,1,f16,0.25', 'expected a whole number from 1 to 1048576, found "5.6"'],
    ['batch', '0x2,56,56,64,128,3,3,1,1,f16,0.25', 'expected a whole number from 1 to 1048576, found "0x2"'],
    [
      'stride',
      '2,56,56,64,128,3,3,,1,f16,0.25',
      'expected a whole number from 1 to 1048576, found an empty cell',
    ],
    [
      'cout',
      '2,56,56,64,99999999,3,3,1,1,f16,0.25',
      'expected a whole number from 1 to 1048576, found "99999999"',
    ],
    ['dtype', '2,56,56,64,128,3,3,1,1,f64,0.25', 'expected one of f32, f16, bf16, found "f64"'],
    ['groups', '2,56,56,64,128,3,3,1,3,f16,0.25', 'groups (3) must divide cin (64)'],
    ['time_ms', '2,56,56,64,128,3,3,1,1,f16,0', 'expected a time in milliseconds above 0, found "0"'],
    ['time_ms', '2,56,56,64,128,3,3,1,1,f16,-1', 'expected a time in milliseconds above 0, found "-1"'],
    [
      'time_ms',
      '2,56,56,64,128,3,3,1,1,f16,Infinity',
      'expected a time in milliseconds above 0, found "Infinity"',
    ],
    [
      'time_ms',
      '2,56,56,64,128,3,3,1,1,f16,1e-160',
      '1e-160 ms is shorter than any convolution takes (0.000001 ms, 1 ns): are these milliseconds?',
    ],
    [
      'time_ms',
      '2,56,56,64,128,3,3,1,1,f16,4e9',
      '4000000000 ms is longer than a convolution may take (3600000 ms, one hour): are these milliseconds?',
    ],
    [
      'time_ms',
      '2,56,56,64,128,3,3,1,1,f16,2e-6',
      '0.000002 ms for 4.6e+8 multiply-adds would be 2.3e+17 in a second, and no device computes 1.0e+17: are these milliseconds?',
    ],
    [
      'time_ms',
      '2,56,56,64,128,3,3,1,1,f16,',
      'expected a time in milliseconds above 0, found an empty cell',
    ],
  ])('names line and column: %s in %s', async (column, row, message) => {
    const error = await refusal(`${HEADER}\n${ROW}\n${row}\n`);
    expect(error).toMatchObject({ code: 'invalid-value', file: 'train.csv', line: 3, column });
    expect(error.message.split('\n')[0]).toBe(`train.csv, line 3, column ${column}: ${message}`);
  });

  it.each([
    ['', 'empty', 'train.csv: expected a header and rows, found nothing'],
    ['\n\n', 'empty', 'train.csv: expected a header and rows, found nothing'],
    [`${HEADER}\n`, 'empty', 'train.csv: expected rows below the header, found none'],
    [`${HEADER},cin\n${ROW},1`, 'duplicate-column', 'line 1, column cin: expected every column once'],
    ['height,width,cin,kernel_h,kernel_w\n', 'missing-column', 'canonical layout, missing cout, time_ms'],
    [`${HEADER}\n${ROW},9`, 'wrong-cell-count', 'line 2: expected 11 cells as in the header, found 12'],
    [`${HEADER}\n1,2`, 'wrong-cell-count', 'line 2: expected 11 cells as in the header, found 2'],
    [`${HEADER}\n${ROW}\n"${ROW}`, 'malformed', 'line 3: expected the quotes of every cell to match'],
    [`${HEADER}\n2"3,${ROW}`, 'malformed', 'line 2: expected the quotes of every cell to match'],
    [`${HEADER}\n"2"3,${ROW}`, 'malformed', 'line 2: expected the quotes of every cell to match'],
    ['\u0000\u0001\u0002PNG\u0000', 'missing-column', 'missing height, width, cin, cout'],
  ])('refuses %j', async (text, code, message) => {
    const error = await refusal(text);
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
  });

  it('reports several problems at once, but at most ten', async () => {
    const two = await refusal(`${HEADER}\n${ROW.replace('f16', 'int8')}\n${ROW}\n1,2\n`);
    expect(two.message.split('\n')).toEqual([
      'train.csv, line 2, column dtype: expected one of f32, f16, bf16, found "int8"',
      'train.csv, line 4: expected 11 cells as in the header, found 2',
    ]);
    const many = await refusal(`${HEADER}\n${'1,2\n'.repeat(1000)}`);
    expect(many.problems).toHaveLength(10);
  });

  it('counts lines as an editor does', async () => {
    const error = await refusal(`\ufeff${HEADER},note\r\n\r\n${ROW},"two\nlines"\r\n1,2\r\n`);
    expect(error.line).toBe(5);
  });

  it('gives the rows before the first problem, and no rows after it', async () => {
    const seen: number[] = [];
    const reading = async () => {
      for await (const { line } of readSpecs(`${HEADER}\n${ROW}\n1,2\n${ROW}\n`, 'a.csv')) seen.push(line);
    };
    await expect(reading()).rejects.toThrow(DatasetError);
    expect(seen).toEqual([2]);
  });

  it('shows only the start of a long cell, with control characters escaped', async () => {
    const error = await refusal(`${HEADER}\n${ROW.replace('f16', `\u001b${'x'.repeat(1000)}`)}`);
    expect(error.message).toBe(
      `train.csv, line 2, column dtype: expected one of f32, f16, bf16, found "\\u001b${'x'.repeat(39)}…"`,
    );
  });

  it.each([
    ['a line without end', 'x'.repeat(1000)],
    ['millions of columns', 'a,'.repeat(500)],
    ['a quoted cell that never closes', `"${'x\n'.repeat(500)}`],
    ['a record of many quoted line breaks', '"\n",,,,,,,,,'.repeat(100)],
  ])('stops reading soon at %s', async (_what, part) => {
    let given = 0;
    async function* endless() {
      for (;;) {
        given += part.length;
        yield await Promise.resolve(given === part.length ? part : part.replace(/^"x/, 'xx'));
      }
    }
    expect((await refusal(endless())).code).toBe('too-long');
    expect(given).toBeLessThan(300_000);
  });

  it('never throws anything but a DatasetError', async () => {
    const cell = fc.oneof(
      fc.constantFrom('1', '3', '0.5', '-1', 'f32', '', '"', '""', '"a', ' ', 'NaN', '1e999', '\u0000', '=1'),
      fc.string({ unit: 'binary' }),
    );
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
      fc.array(fc.array(cell).map((cells) => cells.join())).map((rows) => Buffer.from(rows.join('\n'))),
      fc
        .array(fc.array(cell, { minLength: 11, maxLength: 11 }).map((cells) => cells.join()))
        .map((rows) => Buffer.from([HEADER, ...rows].join('\r\n'))),
    );
    await fc.assert(
      fc.asyncProperty(hostile, async (bytes) => {
        async function* source() {
          yield await Promise.resolve(bytes);
        }
        const result: SampleRow[] | DatasetError = await readAllSamples(source(), 'a.csv').catch(
          (error: unknown) => {
            if (error instanceof DatasetError) return error;
            throw error;
          },
        );
        expect(result instanceof DatasetError ? result.problems.length : result.length).toBeGreaterThan(0);
      }),
      { numRuns: 200 },
    );
  });

  it('passes an error of the source on', async () => {
    async function* broken() {
      yield await Promise.resolve(`${HEADER}\n`);
      throw new RangeError('the disk is gone');
    }
    await expect(readAllSamples(broken(), 'a.csv')).rejects.toThrow(new RangeError('the disk is gone'));
  });

  it('closes the source when the reader stops early', async () => {
    let closed: (() => void) | undefined;
    const wasClosed = new Promise<void>((resolve) => (closed = resolve));
    async function* source() {
      try {
        yield `${HEADER}\n`;
        for (;;) yield await Promise.resolve(`${ROW}\n`);
      } finally {
        closed?.();
      }
    }
    let last = 0;
    for await (const row of readSpecs(source(), 'a.csv')) {
      last = row.line;
      if (last > 100) break;
    }
    await wasClosed;
    expect(last).toBe(101);
  });
});
