import type { CampaignStop } from '@alphaflops/contracts';
import { specKey, type ConvSpec } from '@alphaflops/conv';
import { exp, log } from '@alphaflops/elementary';
import type { FitSample } from '@alphaflops/models';
import { median } from 'simple-statistics';
import { bestFit } from '../adaptive/best-fit.js';
import { chooseBy } from '../adaptive/choose.js';
import { checkParts, nearestToRandom, samplesByShape, SIMULATED_DESIGNS } from '../adaptive/simulate.js';
import { Draws } from '../draws.js';
import { coveringFirst } from './cover-order.js';
import { reasonToStop } from './decide.js';
import { forecastOf } from './forecast.js';
import { interimFit, type InterimFit } from './interim-fit.js';
import { firstAdaptiveRound, firstTargetRounds, nextTargetRound } from './target-rounds.js';

export const TARGET_DESIGNS = [...SIMULATED_DESIGNS, 'csv'] as const;
export type TargetDesign = (typeof TARGET_DESIGNS)[number];

export interface SimulateLearningOptions {
  /** As in `SimulateOptions`; `csv`: all shapes, in the order in which a campaign takes a list. */
  readonly design: TargetDesign;
  /** Total number of measured shapes. */
  readonly budget: number;
  readonly seed: number;
  /** A registered form, or `auto`. */
  readonly form: string;
  /** Constants of the device, for example `smCount`. */
  readonly device: Readonly<Record<string, number>>;
  /** Called after each round with the number of measured shapes and the budget. */
  readonly onRound?: (measured: number, budget: number) => void;
}

/** After one round. Errors are shares. */
export interface SimulatedFit extends InterimFit {
  /** Median error on shapes that the campaign never measures. */
  readonly trueMedianApe: number;
}

/** The forecasts and the end of a campaign with one target, given these fits. */
export interface SimulatedTarget {
  readonly targetError: number;
  readonly points: readonly (SimulatedFit & {
    /** Forecast of the number of shapes for the target; null: never reached. Undefined: too early for a forecast. */
    readonly shapesForTarget: number | null | undefined;
  })[];
  readonly stop: CampaignStop;
  /** The fit at which the campaign stops. */
  readonly stoppedAt: SimulatedFit;
  /** Number of shapes at which the true error reaches the target, interpolated between two fits; null: never. */
  readonly trueShapesForTarget: number | null;
}

/**
 * Replays a complete data set in place of the device of a campaign with rounds, until its budget is used. It does not simulate
 * the duration of rounds, so that rounds have their minimum size.
 *
 * @param pool samples from which the campaign chooses
 * @param test samples on which the true error is computed; no shape of it may be in the pool
 * @throws PlanError `invalid-request` when the pool has fewer shapes than the budget, or a part is empty
 */
export function simulateLearning(
  pool: readonly FitSample[],
  test: readonly FitSample[],
  options: SimulateLearningOptions,
): SimulatedFit[] {
  const { budget, seed, device, form } = options;
  const samplesOf = samplesByShape(pool);
  const samplesFor = (specs: readonly ConvSpec[]) =>
    specs.flatMap((spec) => samplesOf.get(specKey(spec)) ?? []);
  const shapes = [...samplesOf.values()].flatMap(([first]) => (first === undefined ? [] : [first.spec]));
  checkParts(shapes.length, test.length, budget);
  const chooser = chooserOf(options, shapes);
  const fits: SimulatedFit[] = [];
  for (let planned = chooser.first; ;) {
    const judges = samplesFor(chooser.tests);
    const measured = samplesFor(chooser.measure(planned, samplesFor));
    const { predictMs, ...fit } = interimFit(measured, { seed, device, form, test: judges });
    const errors = test.map(({ spec, timeMs }) => Math.abs(predictMs(spec) / timeMs - 1));
    fits.push({ ...fit, trueMedianApe: median(errors) });
    options.onRound?.(planned, budget);
    const more = nextTargetRound({ planned, available: budget, shapesPerSecond: null, fitSeconds: 0 });
    if (more === 0) return fits;
    planned += more;
  }
}

/** The forecasts and the stop of a campaign with a target error, given the fit of each round. */
export function simulateTarget(fits: readonly SimulatedFit[], targetError: number): SimulatedTarget {
  const budgetShapes = fits.at(-1)?.shapes ?? 0;
  let stopped: { readonly stop: CampaignStop; readonly at: SimulatedFit } | null = null;
  const points = fits.map((fit, i) => {
    const forecast = forecastOf({
      ...{ learning: fits.slice(0, i + 1), targetError, noiseFloor: null },
      ...{ budgetShapes, shapesPerSecond: null },
    });
    const isBudgetUsed = i === fits.length - 1;
    const stop = reasonToStop({ targetError, newest: fit, noiseFloor: null, isBudgetUsed });
    if (stop !== null) stopped ??= { stop, at: fit };
    return { ...fit, shapesForTarget: forecast === null ? undefined : forecast.shapesForTarget };
  });
  // The last fit stops in any case.
  const { stop, at } = stopped as unknown as { stop: CampaignStop; at: SimulatedFit };
  return { targetError, points, stop, stoppedAt: at, trueShapesForTarget: crossing(fits, targetError) };
}

/** The shapes that a design measures. */
interface Chooser {
  /** Test shapes. They count as measured. */
  readonly tests: readonly ConvSpec[];
  /** Number of shapes in the first round, including test shapes. */
  readonly first: number;
  /** The shapes other than test shapes, for a total of `planned` shapes. */
  measure(planned: number, samplesFor: (specs: readonly ConvSpec[]) => FitSample[]): readonly ConvSpec[];
}

function chooserOf(
  { design, budget, seed, device }: SimulateLearningOptions,
  shapes: readonly ConvSpec[],
): Chooser {
  const draws = new Draws(seed);
  const shuffled = draws.shuffled(shapes);
  if (design !== 'adaptive') {
    const order =
      design === 'networklike'
        ? shuffled
        : design === 'random'
          ? nearestToRandom(shuffled, budget, draws)
          : coveringFirst(shuffled, seed);
    const first = firstTargetRounds(budget)[0] ?? budget;
    return { tests: [], first, measure: (planned) => order.slice(0, planned) };
  }
  const { testSpecs } = firstAdaptiveRound(budget);
  const left = shuffled.slice(testSpecs);
  const chosen: ConvSpec[] = [];
  return {
    tests: shuffled.slice(0, testSpecs),
    first: testSpecs + (firstTargetRounds(budget - testSpecs)[0] ?? 0),
    measure: (planned, samplesFor) => {
      const count = planned - testSpecs - chosen.length;
      const measured = samplesFor(chosen);
      const model = measured.length === 0 ? null : bestFit(measured, { seed, device }).predict;
      const taken = new Set(chosen);
      const candidates = left.filter((spec) => !taken.has(spec));
      chosen.push(...chooseBy(model, measured, candidates, { count, seed: seed + chosen.length }));
      return chosen;
    },
  };
}

/** The number of shapes at which the true error reaches a value, on straight lines between the logarithms of the points. */
function crossing(points: readonly SimulatedFit[], error: number): number | null {
  const after = points.findIndex(({ trueMedianApe }) => trueMedianApe <= error);
  const [a, b] = [points[after - 1], points[after]];
  if (b === undefined) return null;
  if (a === undefined) return b.shapes;
  const share = log(a.trueMedianApe / error) / log(a.trueMedianApe / b.trueMedianApe);
  return Math.round(a.shapes * exp(share * log(b.shapes / a.shapes)));
}
