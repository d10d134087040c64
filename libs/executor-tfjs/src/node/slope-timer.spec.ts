import { eagerMs, slopeMs } from './slope-timer.js';

/** The start and the read-back take 5 ms, and a convolution takes 0.25 ms. */
const batchMs = (count: number): number => 5 + 0.25 * count;

it('leaves out the constant cost of a batch', () => {
  expect(slopeMs(batchMs, 1)).toBeCloseTo(0.25, 12);
  expect(slopeMs(batchMs, 100)).toBeCloseTo(25, 12);
});

it('is a time above 0, also with noise', () => {
  const timesMs = [6, 5];
  expect(slopeMs(() => timesMs.shift() ?? NaN, 1)).toBe(1e-3);
});

it('gives the median of single convolutions, including their constant cost', () => {
  const timesMs = [9, 5, 6, 400, 5.5];
  expect(eagerMs(() => timesMs.shift() ?? NaN)).toBe(6);
  expect(eagerMs(batchMs)).toBe(5.25);
});
