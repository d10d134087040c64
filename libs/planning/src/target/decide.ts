import { type CampaignStop, type NoiseFloor, percent } from '@alphaflops/contracts';
import type { CurvePoint } from './learning-curve.js';

/**
 * The target counts as reached when the estimate is below it by this number of standard errors. Campaigns check after each
 * round, so that one estimate that is too low by chance stops them. A larger margin costs more measurements than it is worth
 * (docs/benchmarks.md, "Target errors").
 */
const MARGIN = 0.1;
/** A campaign does not stop by an error from fewer held-out samples. */
const MIN_JUDGES = 50;
/** A campaign does not stop by a noise floor from fewer repeated shapes. */
const MIN_REPEATED_SHAPES = 10;

export interface StopQuestion {
  /** Held-out median error, a share. */
  readonly targetError: number;
  /** Point of the newest fit. */
  readonly newest: CurvePoint & { readonly judgedBy: number };
  readonly noiseFloor: NoiseFloor | null;
  /** No shape is left to measure. */
  readonly isBudgetUsed: boolean;
}

/** Why a campaign with a target error should stop now; null: it should continue. */
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
 * Median error of a perfect model on single measurements. The difference of two measurements with independent errors of the
 * same spread is √2 times the error of one measurement.
 */
export function errorAtNoiseFloor({ medianLogRatio }: NoiseFloor): number {
  return medianLogRatio / Math.SQRT2;
}

/**
 * The least error that any model can have, according to repeated measurements. The relative uncertainty of the median of
 * `shapes` ratios is about 1/√shapes. 0 while too few shapes are measured twice.
 */
export function leastErrorByNoise(noiseFloor: NoiseFloor | null): number {
  if (noiseFloor === null || noiseFloor.shapes < MIN_REPEATED_SHAPES) return 0;
  return errorAtNoiseFloor(noiseFloor) * (1 - 1 / Math.sqrt(noiseFloor.shapes));
}
