import { errorAtNoiseFloor, reasonToStop, type StopQuestion } from './decide.js';

const question = (
  part: Partial<StopQuestion['newest']> = {},
  rest: Partial<StopQuestion> = {},
): StopQuestion => ({
  targetError: 0.1,
  newest: { shapes: 400, medianApe: 0.12, standardError: 0.006, judgedBy: 400, ...part },
  noiseFloor: null,
  isBudgetUsed: false,
  ...rest,
});
const floor = (medianLogRatio: number, shapes: number) => ({ shapes, medianLogRatio, p90LogRatio: 0.9 });

describe('a campaign with a target error', () => {
  it('continues while the error is above the target', () => {
    expect(reasonToStop(question())).toBeNull();
  });

  it('stops at the target, with a margin for the uncertainty of the estimate', () => {
    expect(reasonToStop(question({ medianApe: 0.0995 }))).toBeNull();
    const stop = reasonToStop(question({ medianApe: 0.096 }));
    expect(stop?.kind).toBe('target-reached');
    expect(stop?.reason).toBe(
      'the held-out median error is 9.6 % ± 0.6 % with 400 shapes, at or below the target of 10.0 %',
    );
  });

  it('does not stop by an error that comes from few samples', () => {
    expect(reasonToStop(question({ medianApe: 0.01, standardError: 0, judgedBy: 49 }))).toBeNull();
  });

  it('stops when the noise of repeated measurements is above the target', () => {
    // Two visits that differ by 17 % each have an error of 12 %. With 10 shapes this is uncertain by about a third.
    expect(errorAtNoiseFloor(floor(0.17, 10))).toBeCloseTo(0.12, 2);
    expect(reasonToStop(question({}, { noiseFloor: floor(0.17, 10) }))).toBeNull();
    expect(reasonToStop(question({}, { noiseFloor: floor(0.17, 9) }))).toBeNull();
    const stop = reasonToStop(question({}, { noiseFloor: floor(0.17, 100) }));
    expect(stop?.kind).toBe('noise-floor');
    expect(stop?.reason).toContain('even a perfect model would show a median error of about 12.0 %');
  });

  it('stops when no shape is left to measure, and reports the error', () => {
    expect(reasonToStop(question({}, { isBudgetUsed: true }))).toEqual({
      kind: 'budget',
      reason:
        'all shapes of the budget are measured; the held-out median error is 12.0 % ± 0.6 % with 400 shapes, the target of 10.0 %',
    });
  });
});
