import type { Model } from '@alphaflops/contracts';
import { macs, type ConvSpec } from '@alphaflops/conv';
import { fitModel } from './fit-model.js';
import { compileModel, evaluate } from './predict.js';
import { randomShapes } from './random-shapes.spec-helper.js';
import type { FitSample } from './sample.js';

const law = (spec: ConvSpec): number => 0.02 + (macs(spec) / 1e8) ** 0.8;
const good = randomShapes(160, law, 0.05, 1, [1, 3, 5]);
const fit = (samples: readonly FitSample[], form: string): Model =>
  fitModel(samples, {
    form,
    device: { smCount: 20 },
    origin: { digest: '', codeVersion: '0', createdAt: '2026-01-01T00:00:00Z' },
  });

/** Paths of the values that are not finite, which JSON writes as null. */
function unreadable(value: unknown, path = ''): string[] {
  if (typeof value === 'number') return Number.isFinite(value) ? [] : [path];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => unreadable(inner, `${path}.${key}`));
}

function withOutlier(at: number, factor: number): readonly FitSample[] {
  return good.map((sample, i) => (i === at ? { ...sample, timeMs: factor * sample.timeMs } : sample));
}

const CASES: Record<string, readonly FitSample[]> = {
  'duplicated shapes': [...good, ...good, ...good],
  'a single kernel size': randomShapes(160, law, 0.05, 2, [3]),
  'one outlier × 1000': withOutlier(7, 1000),
  'one outlier ÷ 1000': withOutlier(7, 1 / 1000),
  'one time of 1e-160 ms': withOutlier(7, 1e-160),
  'one time of 1e300 ms': withOutlier(7, 1e300),
  'equal times': good.map(({ spec }) => ({ spec, timeMs: 0.25 })),
  'two times only': good.map(({ spec }, i) => ({ spec, timeMs: i % 2 === 0 ? 0.1 : 10 })),
  'times of 20 decades': good.map(({ spec }, i) => ({ spec, timeMs: 10 ** ((i % 21) - 10) })),
  'one input size': good.map(({ spec, timeMs }) => ({ spec: { ...spec, height: 7, width: 7 }, timeMs })),
};

describe.each(Object.entries(CASES))('%s', (name, samples) => {
  it.each(['alpha-axes', 'boosted'])('gives a model by %s whose numbers are all finite', (form) => {
    const model = fit(samples, form);
    expect(unreadable(model)).toEqual([]);
    const predict = compileModel(model);
    for (const { spec } of good.slice(0, 60)) {
      const { predictedMs, lowerMs, upperMs } = predict(spec);
      expect(predictedMs).toBeGreaterThan(0);
      expect(lowerMs).toBeLessThanOrEqual(predictedMs);
      expect(upperMs).toBeGreaterThanOrEqual(predictedMs);
      expect(upperMs).toBeLessThan(Infinity);
    }
    if (name.startsWith('one ') && name !== 'one input size') {
      expect(model.notes.join('\n')).toMatch(/1 of 160 samples are off by more than a factor of 10/);
    }
    if (name === 'equal times') {
      expect(model.notes.join('\n')).toMatch(/all times are equal/);
      expect(evaluate(model, samples).mape).toBeLessThan(0.05);
    }
  });
});

describe.each(['alpha-axes', 'boosted'])('one outlier in the data of %s', (form) => {
  const unseen = randomShapes(500, law, 0.05, 9, [1, 3, 5]);
  const errorOf = (samples: readonly FitSample[]) => evaluate(fit(samples, form), unseen).medianApe;

  it.each([1000, 1 / 1000])('with a factor of %d changes its error only a little', (factor) => {
    const undisturbed = errorOf(good);
    // A single shape may by chance be very similar to the unseen ones, or very different.
    const moved = [7, 49, 91].map((at) => errorOf(withOutlier(at, factor)) / undisturbed);
    expect(moved.sort((a, b) => a - b)[1]).toBeLessThan(1.08);
    expect(Math.max(...moved)).toBeLessThan(1.3);
  });
});

describe('few samples', () => {
  it.each([1, 5, 20, 41, 43, 60, 149, 150])('%i give a model that names its missing forms', (count) => {
    const model = fit(good.slice(0, count), 'auto');
    expect(unreadable(model)).toEqual([]);
    const notes = model.notes.join('\n');
    expect(/too few for alpha-axes, which needs 42/.test(notes)).toBe(count < 42);
    expect(/too few for boosted, which needs 150/.test(notes)).toBe(count < 150);
  });

  it('are refused by a form with more parameters', () => {
    expect(() => fit(good.slice(0, 20), 'alpha-axes')).toThrow(/20 shapes are too few for alpha-axes/);
  });
});

it('times in proportion to the work, as on a serial device, are not fitted by a more complex form that is only as good', () => {
  const proportional = randomShapes(300, (spec) => macs(spec) / 1e6, 0.1, 3, [1, 3]);
  const model = fitModel(proportional, {
    origin: { digest: '', codeVersion: '0', createdAt: '2026-01-01T00:00:00Z' },
  });
  const heldOut = (form: string) => model.forms.find((f) => f.form === form)?.heldOut?.medianApe ?? NaN;
  expect(heldOut(model.chosenForm)).toBeLessThanOrEqual(heldOut('flops'));
  expect(['flops', 'alpha', 'alpha-latency']).toContain(model.chosenForm);
  expect(model.notes.join('\n')).toMatch(/β and γ are not identifiable/);
});
