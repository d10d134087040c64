import { ConvSpecSchema } from '@alphaflops/contracts';
import { macs, specKey, type ConvSpec } from '@alphaflops/conv';
import fc from 'fast-check';
import {
  PlanError,
  planFirstRound,
  planNextRound,
  requiredBytes,
  roundEnds,
  type NextRoundRequest,
} from '../index.js';

const keys = (specs: readonly ConvSpec[]) => specs.map(specKey);
/** A device with times of 10 µs plus 1 ns per 100 multiply-adds, three times as much for channels that are not a multiple of 8. */
const timeMs = (spec: ConvSpec) => 0.01 + (macs(spec) / 1e8) * (spec.cin % 8 === 0 ? 1 : 3);
const measure = (specs: readonly ConvSpec[]) => specs.map((spec) => ({ spec, timeMs: timeMs(spec) }));

const design = { seed: 5, rounds: 4 };
const first = planFirstRound(design, { specs: 120 });

function afterFirst(part: Partial<NextRoundRequest> = {}): NextRoundRequest {
  const { rounds, specs } = first;
  return {
    design,
    limits: { specs: 120 },
    rounds,
    planned: specs,
    measured: measure(specs.slice(rounds.testSpecs)),
    test: measure(specs.slice(0, rounds.testSpecs)),
    device: {},
    ...part,
  };
}

describe('the sizes of rounds', () => {
  it('increase to the budget, and the first one is a quarter of it', () => {
    expect(roundEnds(1000, 4)).toEqual([250, 500, 750, 1000]);
    expect(roundEnds(1000, 1)).toEqual([1000]);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 1, max: 100 }), (budget, rounds) => {
        const ends = roundEnds(budget, rounds);
        expect(ends).toEqual([...new Set(ends)].sort((a, b) => a - b));
        expect(ends[0]).toBeGreaterThan(0);
        expect(ends.at(-1)).toBe(budget);
        expect(ends.length).toBeLessThanOrEqual(rounds);
      }),
    );
  });
});

describe('the first round', () => {
  it('begins with the test shapes, then has a quarter of the rest', () => {
    expect(first.rounds).toEqual({ testSpecs: 12, ends: [12 + 27] });
    expect(first.specs).toHaveLength(39);
    expect(new Set(keys(first.specs)).size).toBe(39);
    expect(first.specs.map((spec) => ConvSpecSchema.parse(spec))).toEqual(first.specs);
  });

  it('is the same for the same seed, and different for another seed', () => {
    expect(planFirstRound(design, { specs: 120 })).toEqual(first);
    const other = new Set(keys(planFirstRound({ ...design, seed: 6 }, { specs: 120 }).specs));
    expect(keys(first.specs).filter((key) => other.has(key)).length).toBeLessThan(3);
  });

  it('keeps to the limits of the device', () => {
    const limits = {
      memoryBytes: 3e7,
      maxSpecMs: 5,
      estimateMs: timeMs,
      constraints: { allowGroups: false },
    };
    const { specs, excluded } = planFirstRound(design, { specs: 120, ...limits });
    expect(Math.max(...specs.map(requiredBytes))).toBeLessThanOrEqual(3e7);
    expect(Math.max(...specs.map(timeMs))).toBeLessThanOrEqual(5);
    expect(specs.every(({ groups }) => groups === 1)).toBe(true);
    expect(excluded.memory).toBeGreaterThan(0);
  });

  it('has the whole budget when the budget is one shape', () => {
    expect(planFirstRound(design, { specs: 1 })).toMatchObject({ rounds: { testSpecs: 0, ends: [1] } });
  });
});

describe('a further round', () => {
  const next = planNextRound(afterFirst());

  it('has new shapes up to its end, and reports the error of the fit', () => {
    expect(next.specs).toHaveLength(27);
    const planned = new Set(keys(first.specs));
    expect(keys(next.specs).filter((key) => planned.has(key))).toEqual([]);
    expect(next.reason).toMatch(
      /^27 specs chosen by a fit of 27 samples; median error [\d.]+ % on 12 test samples$/,
    );
  });

  it('is the same for the same samples in any order', () => {
    const { measured } = afterFirst();
    expect(planNextRound(afterFirst({ measured: measured.toReversed() }))).toEqual(next);
  });

  it('does not depend on the times of the test shapes', () => {
    const test = afterFirst().test.map((sample) => ({ ...sample, timeMs: sample.timeMs * 7 }));
    expect(planNextRound(afterFirst({ test })).specs).toEqual(next.specs);
  });

  it('ends with the budget', () => {
    let request = afterFirst();
    const ends = [...request.rounds.ends];
    while (request.planned.length < 120) {
      const { specs } = planNextRound(request);
      const planned = [...request.planned, ...specs];
      ends.push(planned.length);
      request = afterFirst({
        planned,
        rounds: { testSpecs: 12, ends: [...ends] },
        measured: measure(planned.slice(12)),
      });
    }
    expect(ends).toEqual([39, 66, 93, 120]);
    expect(new Set(keys(request.planned)).size).toBe(120);
  });

  it('judges the time cap by its own fit', () => {
    const limits = { specs: 120, maxSpecMs: 1 };
    const { specs, excluded } = planNextRound(afterFirst({ limits }));
    expect(excluded.time).toBeGreaterThan(50);
    // The fit is rough, but it excludes shapes that take many times the cap.
    expect(Math.max(...specs.map(timeMs))).toBeLessThan(10);
  });

  it('uses the samples that succeeded, and fails without any', () => {
    const { measured } = afterFirst();
    expect(planNextRound(afterFirst({ measured: measured.slice(0, 3), test: [] })).specs).toHaveLength(27);
    expect(() => planNextRound(afterFirst({ measured: [] }))).toThrow('there are no samples');
  });

  it('fails when no shape is left to measure', () => {
    const limits = { specs: 120, memoryBytes: 10 };
    expect(() => planNextRound(afterFirst({ limits }))).toThrow(PlanError);
  });
});
