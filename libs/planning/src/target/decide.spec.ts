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
  it('goes on while the error is above the target', () => {
    expect(reasonToStop(question())).toBeNull();
  });

  it('stops at the target, with a margin for what the estimate does not know', () => {
    expect(reasonToStop(question({ medianApe: 0.0995 }))).toBeNull();
    const stop = reasonToStop(question({ medianApe: 0.096 }));
    expect(stop?.kind).toBe('target-reached');
    expect(stop?.reason).toBe(
      'the held-out median error is 9.6 % ± 0.6 % with 400 shapes, at or below the target of 10.0 %',
    );
  });

  it('does not believe an error that few samples judge', () => {
    expect(reasonToStop(question({ medianApe: 0.01, standardError: 0, judgedBy: 49 }))).toBeNull();
  });

  it('stops where repeated measurements differ by more than any model could be off', () => {
    // Two visits that differ by 17 % are each 12 % off, and a third of these shapes may be wrong about it.
    expect(errorAtNoiseFloor(floor(0.17, 10))).toBeCloseTo(0.12, 2);
    expect(reasonToStop(question({}, { noiseFloor: floor(0.17, 10) }))).toBeNull();
    expect(reasonToStop(question({}, { noiseFloor: floor(0.17, 9) }))).toBeNull();
    const stop = reasonToStop(question({}, { noiseFloor: floor(0.17, 100) }));
    expect(stop?.kind).toBe('noise-floor');
    expect(stop?.reason).toContain('even a perfect model would show a median error of about 12.0 %');
  });

  it('stops when nothing is left to measure, and says how far it came', () => {
    expect(reasonToStop(question({}, { isBudgetUsed: true }))).toEqual({
      kind: 'budget',
      reason:
        'all shapes of the budget are measured; the held-out median error is 12.0 % ± 0.6 % with 400 shapes, the target of 10.0 %',
    });
  });
});
