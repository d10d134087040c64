import type { Campaign } from '@alphaflops/contracts';
import type { FirstRoundSize } from '../adaptive/rounds.js';

/** Shapes of the first round of a campaign with a target error: enough for a first fit. */
const FIRST_ROUND = 50;
/** A round adds at least so many shapes, and this share of those before it. */
const MIN_ROUND = 25;
const GROWTH = 0.2;
/** A round should last so many times as long as the last fit took, so that devices never wait for one. */
const FITS_PER_ROUND = 1.5;
/** Shapes of an adaptive campaign that only judge: at most so many, and this share of its budget. */
const MAX_TESTS = 200;
const TEST_SHARE = 0.2;

/** Whether a campaign measures in rounds until its model is good enough. */
export function hasTarget({ request }: Pick<Campaign, 'request'>): boolean {
  return request.budget.targetError !== undefined;
}

/** Specs of all rounds of a campaign that measures in rounds, those to come included. */
export function specsOfAllRounds({ rounds, request }: Pick<Campaign, 'rounds' | 'request'>): number {
  return rounds?.storedSpecs ?? request.budget.specs;
}

/** Ends of the two rounds that a campaign begins with: while the second is measured, the first is fitted. */
export function firstTargetRounds(available: number): number[] {
  return [...new Set([Math.min(FIRST_ROUND, available), Math.min(FIRST_ROUND + MIN_ROUND, available)])];
}

/** The first round of an adaptive campaign with a target error. Nothing is chosen by measurements in its first 75 shapes. */
export function firstAdaptiveRound(budget: number): FirstRoundSize {
  const testSpecs = Math.min(MAX_TESTS, Math.floor(TEST_SHARE * budget));
  return { testSpecs, count: Math.min(FIRST_ROUND + MIN_ROUND, budget - testSpecs) };
}

/** What the size of a further round depends on. */
export interface RoundPace {
  /** Specs of the rounds so far. */
  readonly planned: number;
  /** Specs of all rounds. */
  readonly available: number;
  /** Null while it is not known. */
  readonly shapesPerSecond: number | null;
  /** What the last fit took. */
  readonly fitSeconds: number;
}

/** Specs of the next round; 0 when none is left. */
export function nextTargetRound({ planned, available, shapesPerSecond, fitSeconds }: RoundPace): number {
  const whileFitting = Math.ceil(FITS_PER_ROUND * (shapesPerSecond ?? 0) * fitSeconds);
  const wanted = Math.max(MIN_ROUND, Math.ceil(GROWTH * planned), whileFitting);
  return Math.max(0, Math.min(available - planned, wanted));
}
