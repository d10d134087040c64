import { runsOf, sharesOf } from './winners.js';

describe('runsOf', () => {
  it('joins neighbouring values with the same winner', () => {
    const costs = [
      [1, 1, 5, 5, 2],
      [2, 2, 3, 3, 2],
    ];
    expect(runsOf([8, 16, 32, 64, 128], costs)).toEqual([
      { from: 8, to: 16, winner: 0 },
      { from: 32, to: 64, winner: 1 },
      { from: 128, to: 128, winner: null },
    ]);
  });

  it('knows no winner where a cost is unknown', () => {
    expect(
      runsOf(
        [1, 2],
        [
          [1, NaN],
          [2, 1],
        ],
      ),
    ).toEqual([
      { from: 1, to: 1, winner: 0 },
      { from: 2, to: 2, winner: null },
    ]);
  });
});

describe('sharesOf', () => {
  it('counts layers and weighs them by their multiply-adds', () => {
    const times = [
      [1, 4, 9],
      [2, 3, 8],
      [3, 5, 8],
    ];
    expect(sharesOf(times, [10, 30, 60])).toEqual([
      { layers: 1, macsShare: 0.1 },
      { layers: 1, macsShare: 0.3 },
      { layers: 0, macsShare: 0 },
    ]);
  });
});
