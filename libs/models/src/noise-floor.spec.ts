import type { Metrics } from '@alphaflops/contracts';
import { noiseNotes } from './noise-floor.js';

const floor = (median: number) => ({ shapes: 12, medianLogRatio: Math.log(1 + median), p90LogRatio: 0.3 });
const error = (medianApe: number) => ({ medianApe }) as Metrics;

it('reports an error at the noise floor', () => {
  expect(noiseNotes(floor(0.02), error(0.019))).toEqual([
    expect.stringContaining('the held-out median error of 1.9 % is at the noise floor'),
  ]);
  expect(noiseNotes(floor(0.02), error(0.05))).toEqual([]);
});

it('reports a floor that is too high for a model', () => {
  expect(noiseNotes(floor(0.2), error(0.1))).toEqual([
    expect.stringMatching(/too high for this model to mean much: two visits .* by 20\.0 %/),
  ]);
  expect(noiseNotes(floor(0.2), null)).toHaveLength(1);
});

it('has no note when no shape was visited twice', () => {
  expect(noiseNotes(undefined, error(0.001))).toEqual([]);
});
