import { summarise } from './statistics.js';
import { TimedBatches } from './timed-batches.js';

function batchesOf(timesMs: readonly number[], inner = 1): TimedBatches {
  const batches = new TimedBatches(inner);
  for (const timeMs of timesMs) batches.add(timeMs);
  return batches;
}

it('summarises by the stated definitions', () => {
  // n = 8: quartiles at positions 2.75 and 6.25; variance Σ(x − 4.5)²/7 = 42/7.
  expect(summarise([8, 1, 7, 2, 6, 3, 5, 4])).toEqual({
    timeMs: 4.5,
    timeMinMs: 1,
    timeQ25Ms: 2.75,
    timeQ75Ms: 6.25,
    timeMeanMs: 4.5,
    cv: Math.sqrt(6) / 4.5,
    repetitions: 8,
    batchTimesMs: [8, 1, 7, 2, 6, 3, 5, 4],
  });
  // n = 9: quartiles are the third and the seventh value.
  expect(summarise([9, 8, 7, 6, 5, 4, 3, 2, 1])).toMatchObject({ timeMs: 5, timeQ25Ms: 3, timeQ75Ms: 7 });
});

it('gives no spread for one batch', () => {
  expect(summarise([3])).toMatchObject({ timeMs: 3, timeMinMs: 3, timeQ25Ms: 3, timeQ75Ms: 3, cv: 0 });
  expect(batchesOf([3]).relativeStandardError).toBe(Infinity);
});

it('has a standard error that falls with the square root of the number of batches', () => {
  const four = batchesOf([9, 11, 9, 11]).relativeStandardError;
  expect(four).toBeCloseTo(Math.sqrt(4 / 3) / 10 / 2, 12);
  const many = batchesOf(Array<number[]>(100).fill([9, 11]).flat());
  expect(many.relativeStandardError).toBeCloseTo(Math.sqrt(200 / 199 / 200) / 10, 12);
});

it('adds up the time of whole batches', () => {
  expect(batchesOf([1, 2, 6], 4).totalMs).toBeCloseTo(36, 12);
});
