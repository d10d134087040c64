import type { Metrics } from '@alphaflops/contracts';
import { specKey, type ConvSpec } from '@alphaflops/conv';
import { judge, type FitSample, type CostPredictor } from '@alphaflops/models';
import { Draws } from '../draws.js';
import { PlanError } from '../plan-error.js';
import { random } from '../random.js';
import { bestFit } from './best-fit.js';
import { chooseBy } from './choose.js';
import { roundEnds } from './rounds.js';
import { coordinatesOf, squaredDistance } from './shape-space.js';

export const SIMULATED_DESIGNS = ['random', 'networklike', 'adaptive'] as const;
export type SimulatedDesign = (typeof SIMULATED_DESIGNS)[number];

export interface SimulateOptions {
  /**
   * `networklike`: shapes drawn from the data, whose distribution should be network-like. `random`: the shapes of the data
   * nearest to those of the design `random`. `adaptive`: shapes chosen in rounds, as in a campaign.
   */
  readonly design: SimulatedDesign;
  /** Total number of measured shapes. */
  readonly budget: number;
  readonly seed: number;
  /** Rounds of the design adaptive; errors are reported at their ends, also for the other designs. */
  readonly rounds: number;
  /** Constants of the device, for example `smCount`. */
  readonly device: Readonly<Record<string, number>>;
  /** Called after each round with the number of measured shapes and the budget. */
  readonly onRound?: (measured: number, budget: number) => void;
}

/** Errors of a fit of the first `shapes` shapes of a design, on the test shapes. */
export interface LearningPoint {
  readonly shapes: number;
  readonly metrics: Metrics;
}

/** One of this number of shapes is a test shape. */
const TEST_EVERY = 5;

/**
 * Splits a complete data set into a pool, from which designs choose, and test shapes, on which errors are computed. A hash of
 * the key selects one shape in five as a test shape, so that every design and seed has the same test shapes.
 */
export function splitForSimulation(samples: readonly FitSample[]): { pool: FitSample[]; test: FitSample[] } {
  const isTest = ({ spec }: FitSample): boolean => hash(specKey(spec)) % TEST_EVERY === 0;
  return { pool: samples.filter((sample) => !isTest(sample)), test: samples.filter(isTest) };
}

/**
 * Replays a complete data set in place of a device. The design chooses among its shapes, and sees only the times of the shapes
 * it has chosen.
 *
 * @param pool samples from which the design chooses
 * @param test samples on which errors are computed; no shape of it may be in the pool
 * @throws PlanError `invalid-request` when the pool has fewer shapes than the budget, or a part is empty
 */
export function simulate(
  pool: readonly FitSample[],
  test: readonly FitSample[],
  options: SimulateOptions,
): LearningPoint[] {
  const samplesOf = samplesByShape(pool);
  const shapes = [...samplesOf.values()].flatMap(([first]) => (first ? [first.spec] : []));
  checkParts(shapes.length, test.length, options.budget);
  const draws = new Draws(options.seed);
  const left = new Map(draws.shuffled(shapes).map((spec) => [specKey(spec), spec]));
  const measured: FitSample[] = [];
  let model: CostPredictor | null = null;
  let done = 0;
  return roundEnds(options.budget, options.rounds).map((end) => {
    const chosen = choose(options, [...left.values()], end - done, {
      model,
      measured,
      draws,
    });
    for (const key of chosen.map(specKey)) {
      left.delete(key);
      measured.push(...(samplesOf.get(key) ?? []));
    }
    done = end;
    model = bestFit(measured, options).predict;
    options.onRound?.(end, options.budget);
    return { shapes: end, metrics: judgeOn(test, model) };
  });
}

/** The samples of each shape, by its key, in their original order. */
export function samplesByShape(samples: readonly FitSample[]): Map<string, FitSample[]> {
  const byShape = new Map<string, FitSample[]>();
  for (const sample of samples) {
    const key = specKey(sample.spec);
    const known = byShape.get(key);
    if (known === undefined) byShape.set(key, [sample]);
    else known.push(sample);
  }
  return byShape;
}

interface Progress {
  readonly model: CostPredictor | null;
  readonly measured: readonly FitSample[];
  readonly draws: Draws;
}

function choose(
  { design, seed }: SimulateOptions,
  left: readonly ConvSpec[],
  count: number,
  { model, measured, draws }: Progress,
): ConvSpec[] {
  switch (design) {
    case 'networklike':
      return left.slice(0, count);
    case 'random':
      return nearestToRandom(left, count, draws);
    case 'adaptive':
      return chooseBy(model, measured, left, { count, seed: seed + measured.length });
  }
}

/** For each of `count` log-uniform shapes, the nearest shape that is left. */
export function nearestToRandom(left: readonly ConvSpec[], count: number, draws: Draws): ConvSpec[] {
  const open = left.map((spec) => ({ spec, at: coordinatesOf(spec) }));
  const randomSpecs = random
    .candidates({ seed: draws.integer(0, 0xffffffff), dtypes: ['f32', 'f16'] })
    [Symbol.iterator]();
  return Array.from({ length: count }, () => {
    const { value } = randomSpecs.next() as { value: ConvSpec };
    const at = coordinatesOf(value);
    let [nearest, least] = [0, Infinity];
    open.forEach((candidate, i) => {
      const squared = squaredDistance(at, candidate.at, least);
      if (squared < least) [nearest, least] = [i, squared];
    });
    return open.splice(nearest, 1)[0]?.spec;
  }).filter((spec) => spec !== undefined);
}

function judgeOn(test: readonly FitSample[], model: CostPredictor): Metrics {
  return judge(
    test.map(({ spec, timeMs }) => ({
      measured: timeMs,
      predicted: model(spec).value,
      lower: null,
      upper: null,
    })),
  );
}

/** @throws PlanError `invalid-request` when there are fewer shapes than the budget, or no test samples */
export function checkParts(shapes: number, test: number, budget: number): void {
  if (test === 0) throw new PlanError('invalid-request', 'there are no test samples');
  if (shapes >= budget) return;
  throw new PlanError(
    'invalid-request',
    `there are ${shapes} shapes to choose from, fewer than the budget of ${budget}`,
  );
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
