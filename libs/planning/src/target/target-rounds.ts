import type { Campaign } from '@alphaflops/contracts';
import type { FirstRoundSize } from '../adaptive/rounds.js';

/** Shapes of the first round of a campaign with a target error: enough for a first fit. */
const FIRST_ROUND = 50;
/** A round adds at least `MIN_ROUND` shapes, and at least the share `GROWTH` of those before it. */
const MIN_ROUND = 25;
const GROWTH = 0.2;
/** A round should last this multiple of the last fit, so that devices never wait for a fit. */
const FITS_PER_ROUND = 1.5;
/** Test shapes of an adaptive campaign: at most `MAX_TESTS`, and at most the share `TEST_SHARE` of its budget. */
const MAX_TESTS = 200;
const TEST_SHARE = 0.2;

/** Whether a campaign measures in rounds until its model is good enough. */
export function hasTarget({ request }: Pick<Campaign, 'request'>): boolean {
  return request.budget.targetError !== undefined;
}

/** Number of specs in all rounds of a campaign that measures in rounds, including future rounds. */
export function specsOfAllRounds({ rounds, request }: Pick<Campaign, 'rounds' | 'request'>): number {
  return rounds?.storedSpecs ?? request.budget.specs;
}

/** Ends of the two rounds that a campaign begins with: while the second is measured, the first is fitted. */
export function firstTargetRounds(available: number): number[] {
  return [...new Set([Math.min(FIRST_ROUND, available), Math.min(FIRST_ROUND + MIN_ROUND, available)])];
}

/** The first round of an adaptive campaign with a target error. Its first 75 shapes do not depend on measurements. */
export function firstAdaptiveRound(budget: number): FirstRoundSize {
  const testSpecs = Math.min(MAX_TESTS, Math.floor(TEST_SHARE * budget));
  return { testSpecs, count: Math.min(FIRST_ROUND + MIN_ROUND, budget - testSpecs) };
}

/** The input for the size of a further round. */
export interface RoundPace {
  /** Number of specs in the rounds so far. */
  readonly planned: number;
  /** Number of specs in all rounds. */
  readonly available: number;
  /** Null if it is not known. */
  readonly shapesPerSecond: number | null;
  /** Duration of the last fit. */
  readonly fitSeconds: number;
}

/** Number of specs in the next round; 0 when none is left. */
export function nextTargetRound({ planned, available, shapesPerSecond, fitSeconds }: RoundPace): number {
  const whileFitting = Math.ceil(FITS_PER_ROUND * (shapesPerSecond ?? 0) * fitSeconds);
  const size = Math.max(MIN_ROUND, Math.ceil(GROWTH * planned), whileFitting);
  return Math.max(0, Math.min(available - planned, size));
}
