import { type CampaignRounds, percent } from '@alphaflops/contracts';
import { specKey, type ConvSpec } from '@alphaflops/conv';
import type { FitSample, CostPredictor } from '@alphaflops/models';
import { Draws } from '../draws.js';
import type { Exclusions, Limits } from '../limits.js';
import { plan, type Plan, type PlanRequest } from '../plan.js';
import { PlanError } from '../plan-error.js';
import { bestFit } from './best-fit.js';
import { chooseBy, chooseNext } from './choose.js';
import { atTileBorder } from './tile-borders.js';

export interface AdaptiveDesign {
  /** Unsigned 32-bit integer. */
  readonly seed: number;
  /** Largest number of rounds, including the first. */
  readonly rounds: number;
}

/** Share of a budget for test shapes, and their largest number: a few hundred are enough to estimate an error. */
const TEST_SHARE = 0.1;
const MAX_TESTS = 300;
/** Share of the remaining budget that the first round measures. */
const FIRST_SHARE = 0.25;
/** Network-like candidates for each chosen shape, and the number of these that are also moved to a tile border. */
const CANDIDATES = 20;
const MAX_CANDIDATES = 6000;
const BORDER_SHARE = 0.1;

/** Number of planned specs at the end of each round. The first round has a quarter of the budget, and the others have equal, non-empty parts. */
export function roundEnds(budget: number, rounds: number): number[] {
  if (rounds <= 1) return [budget];
  const ends = Array.from({ length: rounds }, (_, i) =>
    Math.round(budget * (FIRST_SHARE + (1 - FIRST_SHARE) * (i / (rounds - 1)))),
  );
  return [...new Set(ends)].filter((end) => end > 0);
}

/** Number of rounds that a campaign still has to plan: at least one while its budget is not spent. */
export function roundsToCome(
  design: AdaptiveDesign,
  { testSpecs }: CampaignRounds,
  { budgetSpecs, plannedSpecs }: { readonly budgetSpecs: number; readonly plannedSpecs: number },
): number {
  return roundEnds(budgetSpecs - testSpecs, design.rounds).filter((end) => testSpecs + end > plannedSpecs)
    .length;
}

/** Number of shapes in the first round: test shapes and others. */
export interface FirstRoundSize {
  readonly testSpecs: number;
  readonly count: number;
}

function sizeByBudget(budget: number, rounds: number): FirstRoundSize {
  const testSpecs = Math.min(Math.floor(TEST_SHARE * budget), MAX_TESTS);
  return { testSpecs, count: roundEnds(budget - testSpecs, rounds)[0] ?? 1 };
}

/**
 * The first round of an adaptive campaign. It begins with network-like test shapes, which are drawn before anything else and
 * never used for a choice. The others are chosen to represent the network-like shapes as well as possible.
 *
 * @throws PlanError as {@link plan}
 */
export function planFirstRound(
  { seed, rounds }: AdaptiveDesign,
  request: PlanRequest,
  size: FirstRoundSize = sizeByBudget(request.specs, rounds),
): Plan & { readonly rounds: CampaignRounds } {
  const { testSpecs, count } = size;
  const drawn = plan(
    { name: 'networklike', seed: seedOf(seed, 1) },
    { ...request, specs: testSpecs + candidateCount(count) },
  );
  const test = drawn.specs.slice(0, testSpecs);
  const specs = [
    ...test,
    ...chooseNext([], drawn.specs.slice(testSpecs), { count, seed: seedOf(seed, 1), device: {} }),
  ];
  return { specs, excluded: drawn.excluded, rounds: { testSpecs: test.length, ends: [specs.length] } };
}

/** The input of the choice of a further round. It is plain data, because it is sent to another thread. */
export interface NextRoundRequest {
  readonly design: AdaptiveDesign;
  /** `specs` is the budget of the whole campaign. */
  readonly limits: Omit<Limits, 'estimateMs'> & { readonly specs: number };
  readonly rounds: CampaignRounds;
  /** Every spec planned so far, test shapes included. */
  readonly planned: readonly ConvSpec[];
  /** Samples on which the choice is based; none of a test shape. */
  readonly measured: readonly FitSample[];
  /** Samples of test shapes. They measure the error and have no effect on the choice. */
  readonly test: readonly FitSample[];
  /** Constants of the device that forms may use. */
  readonly device: Readonly<Record<string, number>>;
  /** Number of specs in the round; absent: the number that the design plans for the budget. */
  readonly count?: number;
}

export interface NextRound {
  /** At least one spec; none of them was planned before. */
  readonly specs: readonly ConvSpec[];
  /** Network-like candidates left out, by reason. */
  readonly excluded: Exclusions;
  /** A sentence for people: what was planned, and the present error of the fit. */
  readonly reason: string;
}

/**
 * Plans the round after those of `rounds`. A fit of the samples estimates times for the time limit. Deterministic: the same
 * request gives the same round, for any order of the samples.
 *
 * @throws PlanError `empty-plan` when the limits allow no remaining shape
 * @throws ModelError `no-samples` when nothing was measured successfully
 */
export function planNextRound(request: NextRoundRequest): NextRound {
  const { design, limits, rounds, planned, measured, test, device } = request;
  const round = rounds.ends.length + 1;
  const seed = seedOf(design.seed, round);
  const model = bestFit(measured, { seed, device }).predict;
  const count = request.count ?? foreseenCount(request);
  const taken = new Set([...planned, ...measured.map(({ spec }) => spec)].map(specKey));
  const { specs: candidates, excluded } = drawCandidates(count, seed, taken, {
    ...limits,
    estimateMs: (spec) => model(spec).value,
  });
  const specs = chooseBy(model, measured, candidates, { count, seed });
  const judged =
    test.length === 0
      ? ''
      : `; median error ${percent(medianApe(model, test))} on ${test.length} test samples`;
  return {
    specs,
    excluded,
    reason: `${specs.length} specs chosen by a fit of ${measured.length} samples${judged}`,
  };
}

function foreseenCount({ design, limits, rounds, planned }: NextRoundRequest): number {
  const ends = roundEnds(limits.specs - rounds.testSpecs, design.rounds);
  const end = rounds.testSpecs + (ends.find((each) => rounds.testSpecs + each > planned.length) ?? 0);
  return Math.max(end, planned.length + 1) - planned.length;
}

/** Network-like shapes that are not planned yet and within the limits. Some are also moved to tile borders. */
function drawCandidates(
  count: number,
  seed: number,
  taken: ReadonlySet<string>,
  limits: PlanRequest,
): Pick<Plan, 'specs' | 'excluded'> {
  const isFree = (spec: ConvSpec): boolean => !taken.has(specKey(spec));
  const specs = candidateCount(count) + taken.size;
  const drawn = plan({ name: 'networklike', seed }, { ...limits, specs });
  const free = drawn.specs.filter(isFree).slice(0, candidateCount(count));
  if (free.length === 0) throw new PlanError('empty-plan', 'no network-like shape is left to measure');
  const draws = new Draws(seed);
  const moved = free.filter(() => draws.chance(BORDER_SHARE)).map((spec) => atTileBorder(spec, draws));
  // Exclusions of moved shapes are not counted, because the shapes from which they come are counted.
  const all = plan({ name: 'csv', specs: [...free, ...moved] }, { ...limits, specs: 2 * free.length });
  return { specs: all.specs.filter(isFree), excluded: drawn.excluded };
}

const candidateCount = (count: number): number =>
  Math.max(count, Math.min(CANDIDATES * count, MAX_CANDIDATES));

/** Each round has its own seed: multiples of a large odd number differ modulo 2³². */
const seedOf = (seed: number, round: number): number => (seed + Math.imul(round, 0x9e3779b1)) >>> 0;

function medianApe(model: CostPredictor, samples: readonly FitSample[]): number {
  const errors = samples
    .map(({ spec, timeMs }) => Math.abs(model(spec).value / timeMs - 1))
    .sort((a, b) => a - b);
  return errors[errors.length >> 1] ?? NaN;
}
