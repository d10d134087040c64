import type { FittedForm } from '@alphaflops/contracts';
import { randomShapes } from '../random-shapes.spec-helper.js';
import { timeSamples, type FitSample } from '../sample.js';
import type { FitContext } from '../form.js';
import { alphaAxesForm } from './alpha-axes-form.js';
import { shapeOf } from './shape.js';
import { startVector, valuesOf } from './tile-wave-parameters.js';
import { fillRow, ROW, tileWaveMs } from './tile-wave.js';

const PROCESSORS = 40;
const truth = valuesOf(startVector(PROCESSORS, 3).map((value, j) => value + 0.4 * Math.cos(3 * j)));
const law = (spec: FitSample['spec']): number => {
  const row = new Float64Array(ROW);
  fillRow(shapeOf(spec), PROCESSORS, row, 0);
  return tileWaveMs(truth, row, 0);
};
const context = (device: FitContext['device'] = { smCount: PROCESSORS }): FitContext => ({
  seed: 1,
  loss: 'relative',
  device,
});
const errors = (fit: Pick<FittedForm, 'groups' | 'extra'>, samples: readonly FitSample[]): number[] => {
  const predict = alphaAxesForm.compile(fit, {});
  return samples
    .map(({ spec, timeMs }) => Math.abs(Math.log(predict(spec).value / timeMs)))
    .sort((a, b) => a - b);
};
const median = (sorted: readonly number[]): number => sorted[sorted.length >> 1] ?? NaN;
const regimesOf = (fit: Pick<FittedForm, 'extra'>) =>
  fit.extra as {
    processors: number;
    regimes: { family: string; nodes: ({ gate: string; atMost: number } | object)[] }[];
  };

describe('alpha-axes', () => {
  const samples = randomShapes(900, law, 0.03, 5, [1, 3, 4, 5]);
  const shaped = timeSamples(samples);
  const fit = alphaAxesForm.fit(shaped, context());

  it('predicts new shapes of its own law with an error near the noise', () => {
    expect(median(errors(fit, randomShapes(800, law, 0, 6, [1, 3, 4, 5])))).toBeLessThan(0.03);
  });

  it('has one group per kernel family, all parameters named, non-negative, with units and states', () => {
    expect(fit.groups.map(({ group, n }) => [group, n])).toEqual([
      ['1x1', 225],
      ['3x3', 225],
      ['even', 225],
      ['other', 225],
    ]);
    for (const { parameters } of fit.groups) {
      expect(parameters.map(({ name }) => name)).toEqual(alphaAxesForm.parameters.map(({ name }) => name));
      for (const { value, standardError, state, unit } of parameters) {
        expect(value).toBeGreaterThanOrEqual(0);
        expect(unit).not.toBe('');
        expect(standardError === null).toBe(state !== 'estimated');
      }
    }
  });

  it('finds the launch cost within its error', () => {
    for (const { parameters } of fit.groups) {
      const [launch] = parameters;
      expect(launch?.state).toBe('estimated');
      expect(Math.abs((launch?.value ?? NaN) - (truth[0] ?? NaN))).toBeLessThan(
        4 * (launch?.standardError ?? NaN),
      );
    }
  });

  it('gives held-out predictions whose error is near the error on new shapes', () => {
    const held = shaped.map(({ value }, i) => Math.abs(Math.log((fit.outOfFold?.values[i] ?? NaN) / value)));
    const fresh = median(errors(fit, randomShapes(800, law, 0.03, 7, [1, 3, 4, 5])));
    expect(median(held.sort((a, b) => a - b)) / fresh).toBeGreaterThan(0.9);
    expect(median(held) / fresh).toBeLessThan(1.3);
  });

  it('is the same for the same samples, and after JSON', () => {
    const again = alphaAxesForm.fit(timeSamples([...samples].reverse()), context());
    expect(JSON.stringify(again)).toBe(JSON.stringify(fit));
    const read = JSON.parse(JSON.stringify(fit)) as typeof fit;
    expect(errors(read, samples)).toEqual(errors(fit, samples));
  });

  it('splits where the law changes, on that axis', () => {
    // five times as slow beyond 128 input channels
    const jump = (spec: FitSample['spec']): number => law(spec) * (spec.cin > 128 ? 5 : 1);
    const jumping = alphaAxesForm.fit(timeSamples(randomShapes(400, jump, 0.02, 8, [3])), context());
    const [first] = regimesOf(jumping).regimes[0]?.nodes ?? [];
    expect(first).toMatchObject({ gate: expect.stringMatching(/^cin/) });
    expect(Math.abs(Math.log2((first as { atMost: number }).atMost / 128))).toBeLessThan(0.3);
    expect(median(errors(jumping, randomShapes(400, jump, 0, 9, [3])))).toBeLessThan(0.08);
  });

  it('estimates the number of processors from the samples when it is not given, and reports it', () => {
    const blind = alphaAxesForm.fit(shaped, context({}));
    const { processors } = regimesOf(blind);
    expect(Math.abs(Math.log2(processors / PROCESSORS))).toBeLessThan(1);
    expect(blind.notes).toEqual([
      `alpha-axes: the number of processors was not given; ${processors} fit the samples best`,
    ]);
  });

  it('pools kernel families with few samples', () => {
    const mixed = [...randomShapes(200, law, 0.03, 10, [3]), ...randomShapes(12, law, 0.03, 11, [2])];
    const pooled = alphaAxesForm.fit(timeSamples(mixed), context());
    expect(pooled.groups.map(({ group, n }) => [group, n])).toEqual([
      ['3x3', 200],
      ['other', 212],
    ]);
  });

  it.each([
    [{ ...fit, extra: undefined }, /alpha-axes is not readable/],
    [{ ...fit, groups: fit.groups.slice(1) }, /lacks parameter t0 of its group 1x1/],
    [
      {
        ...fit,
        extra: JSON.parse(
          JSON.stringify(fit.extra).replaceAll(/"gate":"[^"]*"/g, '"gate":"moon"'),
        ) as unknown,
      },
      /splits on "moon"/,
    ],
  ])('refuses a document that it cannot read: %#', (document, reason) => {
    expect(() => alphaAxesForm.compile(document, {})).toThrow(reason);
  });
});
