import { noiseFloorOf, unconfirmedVisits, visitsAgree } from './visits.js';

const protocol = { noisyRelativeStandardError: 0.1 };

it('accepts visits that differ by as much as one sample may vary, in either order', () => {
  expect(visitsAgree(1, 1.09, protocol)).toBe(true);
  expect(visitsAgree(1.09, 1, protocol)).toBe(true);
  expect(visitsAgree(1, 1.11, protocol)).toBe(false);
  expect(visitsAgree(1.11, 1, protocol)).toBe(false);
});

it('names the visits that no other visit confirms', () => {
  expect(unconfirmedVisits([1, 1.02], protocol)).toEqual([]);
  expect(unconfirmedVisits([1, 1.5], protocol)).toEqual([0, 1]);
  expect(unconfirmedVisits([1, 1.5, 1.03], protocol)).toEqual([1]);
  expect(unconfirmedVisits([1, 1.5, 2], protocol)).toEqual([0, 1, 2]);
  expect(unconfirmedVisits([1], protocol)).toEqual([]);
});

it('takes the noise floor from the first two visits of each shape', () => {
  const visits = [[1, 1], [1, 1.01], [1.02, 1], [1, 1.03, 9], [5]];
  const floor = noiseFloorOf(visits);
  expect(floor?.shapes).toBe(4);
  expect(floor?.medianLogRatio).toBeCloseTo((Math.log(1.01) + Math.log(1.02)) / 2, 12);
  expect(floor?.p90LogRatio).toBeCloseTo(0.3 * Math.log(1.02) + 0.7 * Math.log(1.03), 12);
  expect(noiseFloorOf([[1], []])).toBeNull();
});
