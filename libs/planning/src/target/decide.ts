import { type CampaignStop, type NoiseFloor, percent } from '@alphaflops/contracts';
import type { CurvePoint } from './learning-curve.js';

/**
 * The target counts as reached when the estimate is below it by so many of its standard errors. Campaigns ask again after each
 * round, and the first estimate that chance puts below the target stops them; a larger margin makes them measure more than
 * that costs (docs/benchmarks.md, "Target errors").
 */
const MARGIN = 0.1;
/** Fewer held-out samples say too little to stop by. */
const MIN_JUDGES = 50;
/** Fewer shapes measured twice say too little about the noise floor to stop by. */
const MIN_REPEATED_SHAPES = 10;

export interface StopQuestion {
  /** Held-out median error, a share. */
  readonly targetError: number;
  /** Of the newest fit. */
  readonly newest: CurvePoint & { readonly judgedBy: number };
  readonly noiseFloor: NoiseFloor | null;
  /** No shape is left to measure. */
  readonly isBudgetUsed: boolean;
}

/** Why a campaign with a target error should stop now; null: it should go on. */
export function reasonToStop({
  targetError,
  newest,
  noiseFloor,
  isBudgetUsed,
}: StopQuestion): CampaignStop | null {
  const { medianApe, standardError, shapes, judgedBy } = newest;
  const error = `the held-out median error is ${percent(medianApe)} ± ${percent(standardError)} with ${shapes} shapes`;
  if (judgedBy >= MIN_JUDGES && medianApe + MARGIN * standardError <= targetError) {
    return { kind: 'target-reached', reason: `${error}, at or below the target of ${percent(targetError)}` };
  }
  if (noiseFloor !== null && leastErrorByNoise(noiseFloor) > targetError) {
    const floor = percent(errorAtNoiseFloor(noiseFloor));
    return {
      kind: 'noise-floor',
      reason: `the target of ${percent(targetError)} cannot be reached: repeated measurements of ${noiseFloor.shapes} shapes differ so much that even a perfect model would show a median error of about ${floor}; ${error}`,
    };
  }
  if (!isBudgetUsed) return null;
  return {
    kind: 'budget',
    reason: `all shapes of the budget are measured; ${error}, the target of ${percent(targetError)}`,
  };
}

/**
 * Median error that a perfect model shows when single measurements judge it. Two measurements with independent errors of
 * one spread differ by √2 times as much as one of them differs from the truth.
 */
export function errorAtNoiseFloor({ medianLogRatio }: NoiseFloor): number {
  return medianLogRatio / Math.SQRT2;
}

/**
 * What no model can be below, as far as repeated measurements show: the median of `shapes` ratios is itself known to about
 * one part in √shapes. 0 while too few shapes are measured twice.
 */
export function leastErrorByNoise(noiseFloor: NoiseFloor | null): number {
  if (noiseFloor === null || noiseFloor.shapes < MIN_REPEATED_SHAPES) return 0;
  return errorAtNoiseFloor(noiseFloor) * (1 - 1 / Math.sqrt(noiseFloor.shapes));
}
