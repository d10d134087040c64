import { repeatedShapes } from './repeats.js';

it('takes 3 % of the shapes, at least 10 of 100 or more, and at most 1,000', () => {
  const of = (shapes: number) => repeatedShapes(undefined, shapes);
  expect([20, 34, 99, 100, 400, 1000, 1_000_000].map(of)).toEqual([0, 1, 2, 10, 12, 30, 1000]);
});

it('uses the requested share, or none', () => {
  expect(repeatedShapes(0, 1000)).toBe(0);
  expect(repeatedShapes(0.29, 100)).toBe(29);
  expect(repeatedShapes(0.1, 40)).toBe(4);
  expect(repeatedShapes(1, 40)).toBe(40);
});
