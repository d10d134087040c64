import {
  canonicalSpec,
  CONV_SPEC_DEFAULTS,
  hasOptionalFields,
  macs,
  outputSize,
  PASSES,
  passOf,
  specKey,
  type ConvSpec,
} from '@alphaflops/conv';
import { ConvSpecSchema } from '@alphaflops/contracts';
import fc from 'fast-check';
import { plan, PlanError, requiredBytes, type DesignChoice } from './index.js';

const keys = (specs: Iterable<ConvSpec>) => Array.from(specs, specKey);
const choices: DesignChoice[] = [
  { name: 'paper-series' },
  { name: 'replication-D' },
  { name: 'random', seed: 3 },
  { name: 'networklike', seed: 3 },
];

function spec(part: Partial<ConvSpec>): ConvSpec {
  const shape = { height: 8, width: 8, cin: 8, cout: 8, kernel_h: 3, kernel_w: 3 };
  return { ...CONV_SPEC_DEFAULTS, ...shape, ...part };
}

function planError(choice: DesignChoice, request: Parameters<typeof plan>[1]): PlanError {
  try {
    plan(choice, request);
  } catch (error) {
    if (error instanceof PlanError) return error;
    throw error;
  }
  throw new Error('expected a PlanError');
}

describe.each(choices)('design $name', (choice) => {
  it('gives valid ConvSpecs, all different', () => {
    const { specs } = plan(choice, { specs: 2000 });
    expect(specs.map((one) => ConvSpecSchema.parse(one))).toEqual(specs);
    expect(new Set(keys(specs)).size).toBe(specs.length);
  });

  it('starts a larger plan with the smaller one', () => {
    const large = keys(plan(choice, { specs: 500, memoryBytes: 1e8 }).specs);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), (size) => {
        expect(keys(plan(choice, { specs: size, memoryBytes: 1e8 }).specs)).toEqual(large.slice(0, size));
      }),
      { numRuns: 20 },
    );
  });

  it('keeps its shapes when only the element type changes', () => {
    const f32 = plan(choice, { specs: 300 }).specs;
    const f16 = plan(choice, { specs: 300, constraints: { dtypes: ['f16'] } }).specs;
    expect(f16).toEqual(f32.map((one) => ({ ...one, dtype: 'f16' })));
  });

  it('plans every requested element type', () => {
    const { specs } = plan(choice, { specs: 200, constraints: { dtypes: ['f32', 'bf16'] } });
    expect(new Set(specs.map(({ dtype }) => dtype))).toEqual(new Set(['f32', 'bf16']));
  });

  it('leaves out and counts candidates outside a limit', () => {
    const memoryBytes = 2e7;
    const { specs, excluded } = plan(choice, {
      specs: 300,
      memoryBytes,
      maxSpecMs: 5,
      estimateMs: (one) => macs(one) / 1e8,
      constraints: { allowGroups: false, maxMacs: 1e9 },
    });
    expect(specs.length).toBeGreaterThan(100);
    expect(Math.max(...specs.map(macs))).toBeLessThanOrEqual(5e8);
    expect(Math.max(...specs.map(requiredBytes))).toBeLessThanOrEqual(memoryBytes);
    expect(specs.every(({ groups }) => groups === 1)).toBe(true);
    expect(excluded['max-macs']).toBeGreaterThan(0);
    expect(excluded.time).toBeGreaterThan(0);
    expect(excluded.memory).toBeGreaterThan(0);
  });
});

describe('seeds', () => {
  it.each(['random', 'networklike'] as const)('make different plans of %s', (name) => {
    const [one, two] = [1, 2].map((seed) => new Set(keys(plan({ name, seed }, { specs: 1000 }).specs)));
    expect([...(one ?? [])].filter((key) => two?.has(key)).length).toBeLessThan(50);
  });

  // Every later version must give the same plan as a published one.
  it('still give the same plans', () => {
    expect(keys(plan({ name: 'random', seed: 1 }, { specs: 2 }).specs)).toMatchInlineSnapshot(`
     [
       "b1-h74-w74-i5-o1282-k1x1-s1-g1-f32-same-NCHW",
       "b1-h312-w234-i3-o1-k7x7-s1-g1-f32-same-NCHW",
     ]
    `);
    expect(keys(plan({ name: 'networklike' }, { specs: 2 }).specs)).toMatchInlineSnapshot(`
     [
       "b8-h26-w26-i24-o48-k3x3-s1-g1-f32-same-NCHW",
       "b1-h1-w1-i24-o288-k5x5-s1-g1-f32-same-NCHW",
     ]
    `);
    expect(keys(plan({ name: 'paper-series' }, { specs: 2 }).specs)).toMatchInlineSnapshot(`
     [
       "b1-h240-w100-i100-o100-k3x3-s1-g1-f32-same-NCHW",
       "b1-h100-w100-i50-o220-k3x3-s1-g1-f32-same-NCHW",
     ]
    `);
  });
});

describe('passes and geometries', () => {
  it.each(choices)('of $name: each shape in each requested pass', (choice) => {
    const forward = plan(choice, { specs: 50 }).specs;
    const { specs } = plan(choice, {
      specs: 150,
      constraints: { passes: ['backward-weights', 'forward', 'backward-data'] },
    });
    expect(specs.map(passOf)).toEqual(forward.flatMap(() => PASSES));
    expect(specs.filter(({ pass }) => pass === undefined)).toEqual(forward);
    const backward = plan(choice, { specs: 50, constraints: { passes: ['backward-data'] } }).specs;
    expect(backward).toEqual(forward.map((one) => ({ ...one, pass: 'backward-data' })));
  });

  it('leaves out specs of another pass from a file only when requested', () => {
    const specs = [spec({}), spec({ pass: 'backward-data' })];
    expect(plan({ name: 'csv', specs }, { specs: 9 }).specs).toEqual(specs);
    const forward = plan({ name: 'csv', specs }, { specs: 9, constraints: { passes: ['forward'] } });
    expect(forward).toEqual({ specs: [specs[0]], excluded: { pass: 1 } });
  });

  it('draws dilated kernels, strides by axis and explicit padding when requested', () => {
    const constraints = { allGeometries: true };
    const { specs } = plan({ name: 'networklike', seed: 9 }, { specs: 3000, constraints });
    expect(specs.map(canonicalSpec)).toEqual(specs);
    expect(specs.map((one) => ConvSpecSchema.parse(one))).toEqual(specs);
    const share = (of: (one: ConvSpec) => boolean) => specs.filter(of).length / specs.length;
    expect(share(({ dilation_h, dilation_w }) => (dilation_h ?? dilation_w) !== undefined)).toBeGreaterThan(
      0.05,
    );
    expect(share(({ stride_h }) => stride_h !== undefined)).toBeGreaterThan(0.04);
    expect(share(({ padding }) => padding === 'explicit')).toBeGreaterThan(0.02);
    expect(share(hasOptionalFields)).toBeLessThan(0.4);
    expect(specs.every((one) => outputSize(one).height > 0 && outputSize(one).width > 0)).toBe(true);
  });
});

describe('design csv', () => {
  it('keeps the order, and drops and counts repetitions and specs over the budget', () => {
    const specs = [4, 2, 4, 6, 2, 9].map((height) => spec({ height }));
    const result = plan({ name: 'csv', specs }, { specs: 3 });
    expect(result.specs.map(({ height }) => height)).toEqual([4, 2, 6]);
    expect(result.excluded).toEqual({ duplicate: 2, 'over-budget': 1 });
  });

  it('filters by element type only when requested', () => {
    const specs = [spec({ dtype: 'f16' }), spec({ dtype: 'f32' })];
    expect(plan({ name: 'csv', specs }, { specs: 9 }).specs).toEqual(specs);
    const filtered = plan({ name: 'csv', specs }, { specs: 9, constraints: { dtypes: ['f32'] } });
    expect(filtered).toEqual({ specs: [specs[1]], excluded: { dtype: 1 } });
  });
});

describe('refusals', () => {
  it('gives the reason when no candidate is left', () => {
    const specs = [spec({ groups: 8 }), spec({ cin: 16, groups: 8 }), spec({})];
    const error = planError(
      { name: 'csv', specs },
      { specs: 9, constraints: { allowGroups: false }, memoryBytes: 100 },
    );
    expect(error.code).toBe('empty-plan');
    expect(error.excluded).toEqual({ groups: 2, memory: 1 });
    expect(error.message).toBe(
      'none of 3 candidates of the design csv can be measured: left out 2 groups, 1 memory',
    );
  });

  it('ends when no candidate can fit', () => {
    const error = planError({ name: 'networklike' }, { specs: 10, memoryBytes: 16 });
    expect(error.excluded.memory).toBeGreaterThan(1000);
  });

  it('counts an estimate that is not a number as too long', () => {
    const error = planError(
      { name: 'csv', specs: [spec({})] },
      { specs: 1, maxSpecMs: 1, estimateMs: () => Number.NaN },
    );
    expect(error.excluded).toEqual({ time: 1 });
  });

  it('refuses an empty list', () => {
    expect(planError({ name: 'csv', specs: [] }, { specs: 1 }).message).toBe(
      'the design csv has no ConvSpec',
    );
  });

  it.each([0, -1, 1.5, Number.NaN, 1_000_001])('refuses %p specs', (specs) => {
    expect(planError({ name: 'random' }, { specs })).toMatchObject({
      code: 'invalid-request',
      message: expect.stringContaining('from 1 to 1000000 specs') as string,
    });
  });

  it.each([-1, 0.5, 2 ** 32, Number.NaN])('refuses the seed %p', (seed) => {
    expect(planError({ name: 'random', seed }, { specs: 1 }).message).toContain('a seed is a whole number');
  });

  it('refuses a time cap without an estimate', () => {
    expect(planError({ name: 'random' }, { specs: 1, maxSpecMs: 5 }).code).toBe('invalid-request');
  });

  it('names the existing designs', () => {
    const choice = { name: 'grid' } as unknown as DesignChoice;
    expect(planError(choice, { specs: 1 })).toMatchObject({
      code: 'unknown-design',
      message:
        'there is no design “grid”; the designs are paper-series, replication-A, replication-B, replication-C, ' +
        'replication-D, replication-E, replication-F, replication-G, replication-grid, random, networklike, csv',
    });
  });
});
