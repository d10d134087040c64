import { firstAdaptiveRound, firstTargetRounds, nextTargetRound } from './target-rounds.js';

describe('the rounds of a campaign with a target error', () => {
  const pace = { planned: 75, available: 10_000, shapesPerSecond: null, fitSeconds: 0 };

  it('are two at first, so that the second is measured while the first is fitted', () => {
    expect(firstTargetRounds(10_000)).toEqual([50, 75]);
    expect(firstTargetRounds(60)).toEqual([50, 60]);
    expect(firstTargetRounds(30)).toEqual([30]);
  });

  it('grow with what is measured', () => {
    expect(nextTargetRound(pace)).toBe(25);
    expect(nextTargetRound({ ...pace, planned: 1_000 })).toBe(200);
  });

  it('last longer than the fit at the same time', () => {
    expect(nextTargetRound({ ...pace, planned: 1_000, shapesPerSecond: 100, fitSeconds: 4 })).toBe(600);
  });

  it('end with the budget', () => {
    expect(nextTargetRound({ ...pace, planned: 9_990 })).toBe(10);
    expect(nextTargetRound({ ...pace, planned: 10_000 })).toBe(0);
  });

  it('have test shapes when the other shapes are chosen by fits', () => {
    expect(firstAdaptiveRound(20_000)).toEqual({ testSpecs: 200, count: 75 });
    expect(firstAdaptiveRound(100)).toEqual({ testSpecs: 20, count: 75 });
    expect(firstAdaptiveRound(50)).toEqual({ testSpecs: 10, count: 40 });
  });
});
