import { implausibleTime, MAX_TIME_MS, MIN_TIME_MS } from '@alphaflops/contracts';
import {
  canonicalSpec,
  CONV_SPEC_DEFAULTS,
  DTYPES,
  hasOptionalFields,
  LAYOUTS,
  PASSES,
  type ConvSpec,
} from '@alphaflops/conv';
import fc from 'fast-check';
import {
  DatasetError,
  EXTRA_COLUMNS,
  fitInputDigest,
  readAllSamples,
  readSamplesJsonl,
  readSpecs,
  writeCsv,
  writeSamples,
  writeSamplesJsonl,
  writeSpecs,
  type SampleValues,
} from './index.js';

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
const text = async (pieces: AsyncIterable<string>) => (await all(pieces)).join('');

const positive = fc.double({ min: 1e-300, max: 1e300, noNaN: true });
const time = fc.double({ min: MIN_TIME_MS, max: MAX_TIME_MS, noNaN: true });
const axis = fc.integer({ min: 1, max: 1_048_576 });
const basic: fc.Arbitrary<ConvSpec> = fc
  .record({
    // Not all axes are large at once, so that a device could compute it in an hour.
    batch: fc.integer({ min: 1, max: 1000 }),
    height: axis,
    width: axis,
    cin: fc.integer({ min: 1, max: 1024 }),
    cout: fc.integer({ min: 1, max: 1024 }),
    kernel_h: fc.integer({ min: 1, max: 100 }),
    kernel_w: fc.integer({ min: 1, max: 100 }),
    stride: axis,
    groups: fc.integer({ min: 1, max: 1024 }),
    dtype: fc.constantFrom(...DTYPES),
    padding: fc.constantFrom('same' as const, 'valid' as const),
    layout: fc.constantFrom(...LAYOUTS),
  })
  .map((one) => ({
    ...one,
    cin: one.cin * one.groups,
    cout: one.cout * one.groups,
    // A kernel without padding fits into its input.
    height: one.padding === 'valid' ? Math.max(one.height, one.kernel_h) : one.height,
    width: one.padding === 'valid' ? Math.max(one.width, one.kernel_w) : one.width,
  }));
const pad = fc.integer({ min: 0, max: 5000 });
/** Strides, dilations, pads and a pass; each is present in some specs. */
const optional = fc.record(
  {
    ...{ stride_h: axis, stride_w: axis, pass: fc.constantFrom(...PASSES) },
    ...{ dilation_h: fc.integer({ min: 1, max: 3 }), dilation_w: fc.integer({ min: 1, max: 3 }) },
    ...{ pad_top: pad, pad_bottom: pad, pad_left: pad, pad_right: pad },
  },
  { requiredKeys: [] },
);
const spec: fc.Arbitrary<ConvSpec> = fc.oneof(
  basic,
  fc
    .tuple(basic, optional)
    // At least the size of the largest dilated kernel, so that it fits.
    .map(([one, more]) =>
      canonicalSpec({
        ...one,
        padding: 'same',
        ...more,
        height: 4096,
        width: 4096,
      }),
    ),
);
const sampleOf = (of: fc.Arbitrary<ConvSpec>) =>
  fc
    .record({
      spec: of,
      timeMs: time,
      extras: fc.record(
        {
          ...Object.fromEntries(
            EXTRA_COLUMNS.map((column) => [column, /^(time|eager)/.test(column) ? time : positive]),
          ),
          energy_meter: fc.stringMatching(/^[a-z][a-z0-9-]{4,60}$/),
          kernel: fc
            .stringMatching(/^[!-~]{1,60}$/)
            .filter((name) => !/^(nan|null|none|na|[-+=@'].*)$/i.test(name)),
          workspace_bytes: fc.nat(),
        },
        { requiredKeys: [] },
      ),
    })
    .filter((one) => implausibleTime(one.spec, one.timeMs) === null);
const sample = sampleOf(basic);
const samples = fc.array(sample, { minLength: 1, maxLength: 20 });
const anySamples = fc.array(sampleOf(spec), { minLength: 1, maxLength: 20 });
const withLines = (rows: readonly SampleValues[], first: number) =>
  rows.map((row, index) => ({ line: first + index, ...row }));

describe('a written file', () => {
  it('gives the same rows when it is read, as CSV', async () => {
    await fc.assert(
      fc.asyncProperty(samples, async (rows) => {
        expect(await readAllSamples(writeSamples(rows), 'a.csv')).toEqual(withLines(rows, 2));
      }),
    );
  });

  it('gives the same rows when it is read, as CSV with columns for optional fields', async () => {
    await fc.assert(
      fc.asyncProperty(anySamples, async (rows) => {
        const pieces = writeSamples(rows, EXTRA_COLUMNS, true);
        expect(await readAllSamples(pieces, 'a.csv')).toEqual(withLines(rows, 2));
      }),
    );
  });

  it('is refused when a column is missing for a field', async () => {
    const one = {
      spec: {
        ...CONV_SPEC_DEFAULTS,
        height: 8,
        width: 8,
        cin: 4,
        cout: 4,
        kernel_h: 3,
        kernel_w: 3,
        pass: 'backward-data' as const,
      },
      timeMs: 1,
    };
    await expect(text(writeSamples([one]))).rejects.toThrow('no column has all of b1-h8');
  });

  it('gives the same rows when it is read, as JSON Lines', async () => {
    await fc.assert(
      fc.asyncProperty(anySamples, async (rows) => {
        expect(await all(readSamplesJsonl(writeSamplesJsonl(rows), 'a.jsonl'))).toEqual(withLines(rows, 1));
      }),
    );
  });

  it('gives the same rows when it is read, without times, with several pieces', async () => {
    for (const specs of [basic, spec].map((of) => fc.sample(of, { numRuns: 2500, seed: 1 }))) {
      expect((await all(readSpecs(writeSpecs(specs), 'a.csv'))).map((row) => row.spec)).toEqual(specs);
    }
  });

  it('has the canonical columns', async () => {
    const [one] = fc.sample(sample, 1) as [SampleValues];
    expect((await text(writeSamples([one], ['energy_mj']))).split('\n')[0]).toBe(
      'batch,height,width,cin,cout,kernel_h,kernel_w,stride,groups,dtype,padding,layout,time_ms,energy_mj',
    );
    const specs = fc.sample(spec, { numRuns: 50, seed: 1 });
    expect(specs.some(hasOptionalFields)).toBe(true);
    expect((await text(writeSpecs(specs))).split('\n')[0]).toBe(
      'batch,height,width,cin,cout,kernel_h,kernel_w,stride,groups,dtype,padding,layout,' +
        'stride_h,stride_w,dilation_h,dilation_w,pad_top,pad_bottom,pad_left,pad_right,pass',
    );
  });
});

describe('tables', () => {
  it('have quotes where necessary, and empty cells for unknown values', async () => {
    const rows = [
      ['a,b', 'say "x"', 'two\nlines', true],
      [null, Number.NaN, undefined, 0.1],
    ];
    expect(await text(writeCsv(['one', 'two', 'three', 'four'], rows))).toBe(
      'one,two,three,four\n"a,b","say ""x""","two\nlines",true\n,,,0.1\n',
    );
  });

  it('disarm formulas but not numbers', async () => {
    const row = ['=1+1', '+cmd', '-2+3', '@x', -0.5, '-0.5', '+1e3', 'a=b'];
    expect(await text(writeCsv(['x'], [row]))).toBe(`x\n'=1+1,'+cmd,'-2+3,'@x,-0.5,-0.5,1000,a=b\n`);
  });
});

describe('JSON Lines', () => {
  const line =
    '{"height":4,"width":4,"cin":3,"cout":8,"kernel_h":3,"kernel_w":3,"time_ms":0.5,"energy_mj":null,"note":{}}';

  it('fills in absent names and ignores unknown ones', async () => {
    const [row] = await all(readSamplesJsonl(`\ufeff${line}\r\n\n`, 'a.jsonl'));
    expect(row).toMatchObject({
      line: 1,
      spec: { batch: 1, cout: 8, dtype: 'f32' },
      timeMs: 0.5,
      extras: {},
    });
  });

  it.each([
    ['an empty file', '', 'a.jsonl: expected one JSON object per line, found nothing'],
    [
      'lines that are no object',
      `${line}\n[1]\nx\n`,
      'a.jsonl, line 2: expected one JSON object\na.jsonl, line 3: expected one JSON object',
    ],
    [
      'missing names',
      `${line}\n{"height":4}\n`,
      'a.jsonl, line 2, column width: expected the columns of the canonical layout',
    ],
    [
      'a fraction',
      line.replace('3', '"3.5"'),
      'a.jsonl, line 1, column cin: expected a whole number from 1 to 1048576',
    ],
    [
      'a time that is a list',
      line.replace('0.5', '[]'),
      'a.jsonl, line 1, column time_ms: expected a time in milliseconds above 0',
    ],
    [
      'a very long line',
      `{"a":"${'x'.repeat(70_000)}"}`,
      'a.jsonl, line 1: expected lines of at most 65536 bytes',
    ],
  ])('refuses %s', async (_what, source, message) => {
    const reading = all(readSamplesJsonl(source, 'a.jsonl'));
    await expect(reading).rejects.toThrow(DatasetError);
    await expect(reading).rejects.toThrow(message);
  });
});

describe('digest of a fit’s input', () => {
  const rows = fc.sample(sample, { numRuns: 50, seed: 2 });

  it('does not depend on the order or on further columns', () => {
    const digest = fitInputDigest(rows);
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    const bare = rows.map(({ spec, timeMs }) => ({ spec, timeMs })).reverse();
    expect(fitInputDigest(bare)).toBe(digest);
  });

  it('changes with every value, to the last bit, and with repetition', () => {
    const [first, ...rest] = rows as [SampleValues, ...SampleValues[]];
    const others = [
      [{ ...first, timeMs: first.timeMs * (1 + Number.EPSILON) }, ...rest],
      [{ ...first, spec: { ...first.spec, batch: first.spec.batch + 1 } }, ...rest],
      [first, ...rows],
      rest,
    ];
    const energies = [
      [{ ...first, energyMillijoules: 3 }, ...rest],
      [{ ...first, energyMillijoules: 4 }, ...rest],
    ];
    expect(new Set([rows, ...others, ...energies].map((one) => fitInputDigest(one))).size).toBe(7);
    expect(fitInputDigest([{ ...first, energyMillijoules: null }, ...rest])).toBe(fitInputDigest(rows));
  });

  it('is the SHA-256 of the documented lines', () => {
    const size = { batch: 1, height: 2, width: 2, cin: 1, cout: 1, kernel_h: 1, kernel_w: 1 };
    const one = { ...CONV_SPEC_DEFAULTS, ...size };
    // printf 'b1-h2-w2-i1-o1-k1x1-s1-g1-f32-same-NCHW 0.5\n' | sha256sum
    expect(fitInputDigest([{ spec: one, timeMs: 0.5 }])).toBe(
      '3f5a56e1668aa18da796afc4edd188fd6924bb7ff3f6796a6107ec6aa931a9d1',
    );
  });
});
