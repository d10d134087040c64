import { binsOf, histogram } from './histogram.js';

describe('a histogram', () => {
  it('counts every value once, with the extreme ones in the outer bins', () => {
    const values = Array.from({ length: 100 }, (_, i) => 3 + i / 99);
    const bins = binsOf(values);
    expect(bins).toHaveLength(10);
    expect(bins.map(({ count }) => count)).toEqual(Array.from({ length: 10 }, () => 10));
    expect([bins[0]?.from, bins.at(-1)?.to]).toEqual([3, 4]);
  });

  it('has at most twelve bins, and one if all values are equal', () => {
    expect(binsOf(Array.from({ length: 10_000 }, (_, i) => i))).toHaveLength(12);
    expect(binsOf([2, 2, 2])).toEqual([{ from: 2, to: 2, count: 3 }]);
    expect(() => binsOf([])).toThrow(RangeError);
  });

  it('draws the fullest bin with all characters, the others in proportion, and an empty bin as nothing', () => {
    const values = [1, 1, 1, 1, 1, 1, 1, 1, 4, 10];
    expect(histogram(values, String, 8)).toEqual([
      '   1 – 3.25  ████████ 8',
      '3.25 –  5.5  █ 1',
      ' 5.5 – 7.75   0',
      '7.75 –   10  █ 1',
    ]);
  });
});
