import { macs, specKey, type ConvSpec } from '@alphaflops/conv';
import { ModelError } from './error.js';

/** One measured convolution. */
export interface FitSample {
  readonly spec: ConvSpec;
  readonly timeMs: number;
  /** Null or absent if it was not measured. */
  readonly energyMillijoules?: number | null;
  /** The kernel that ran, in the spelling of cudnn-frontend; null or absent if it is unknown. */
  readonly kernel?: string | null;
  /** Name of the meter that counted the energy; absent if it is unknown. */
  readonly energyMeter?: string;
}

/** Samples with energy by one meter. Energies of different meters are not comparable. */
export interface MeteredSamples {
  readonly samples: readonly FitSample[];
  /** Null if the samples do not name their meter. */
  readonly meter: string | null;
  /** Samples by other meters. */
  readonly leftOut: number;
}

/**
 * The samples of the meter that has the most samples. If several meters have equally many, the first by name.
 *
 * @param samples energies in millijoules
 */
export function samplesOfOneMeter(samples: readonly FitSample[]): MeteredSamples {
  const byMeter = new Map<string | null, FitSample[]>();
  for (const sample of samples) {
    if (sample.energyMillijoules === null || sample.energyMillijoules === undefined) continue;
    const meter = sample.energyMeter ?? null;
    const list = byMeter.get(meter);
    if (list) list.push(sample);
    else byMeter.set(meter, [sample]);
  }
  const [most] = [...byMeter].sort(
    ([a, left], [b, right]) => right.length - left.length || ((a ?? '') < (b ?? '') ? -1 : 1),
  );
  if (!most) return { samples: [], meter: null, leftOut: 0 };
  const [meter, chosen] = most;
  const leftOut = [...byMeter.values()].reduce((sum, { length }) => sum + length, -chosen.length);
  return { samples: chosen, meter, leftOut };
}

/** Milliseconds of a time, millijoules of an energy. */
export type CostUnit = 'ms' | 'mJ';

/** A checked measurement of the cost of a convolution, time or energy. The forms are fitted to such samples. */
export interface CostSample {
  /** The `specKey` of its shape. */
  readonly key: string;
  readonly spec: ConvSpec;
  /** Positive and finite, in `unit`. */
  readonly value: number;
  /** The same for all samples of a fit. */
  readonly unit: CostUnit;
  /** The kernel that ran, in the spelling of cudnn-frontend; null if it is unknown. */
  readonly kernel: string | null;
}

/**
 * Checks the times of samples.
 *
 * @returns times in milliseconds, in an order that does not depend on the order of the samples
 * @throws ModelError `no-samples`, or `bad-sample` naming the first sample with a time that is not a positive number or a
 * spec without output.
 */
export function timeSamples(samples: readonly FitSample[]): readonly CostSample[] {
  if (samples.length === 0) throw new ModelError('no-samples', 'there are no samples to fit or evaluate');
  const costs = samples.map((sample, index) => checkedCost(sample, index, sample.timeMs, 'ms'));
  return sorted(costs);
}

/**
 * Checks the energies of the samples that have one.
 *
 * @returns energies in millijoules, in an order that does not depend on the order of the samples
 * @throws ModelError `bad-sample` naming the first sample with an energy that is not a positive number, or with a spec
 * without output
 */
export function energySamples(samples: readonly FitSample[]): readonly CostSample[] {
  const costs = samples.flatMap((sample, index) =>
    sample.energyMillijoules === null || sample.energyMillijoules === undefined
      ? []
      : [checkedCost(sample, index, sample.energyMillijoules, 'mJ')],
  );
  return sorted(costs);
}

/** The unit of the samples of one fit. */
export function unitOfCosts(samples: readonly CostSample[]): CostUnit {
  return samples[0]?.unit ?? 'ms';
}

/** @throws ModelError `bad-sample` if the value is not a positive number, or if the spec has no output */
function checkedCost(
  { spec, kernel = null }: FitSample,
  index: number,
  value: number,
  unit: CostUnit,
): CostSample {
  const key = specKey(spec);
  const which = `sample ${index + 1} (${key})`;
  if (!isPositive(value)) {
    const has =
      unit === 'ms'
        ? `a time of ${value} ms; times must be positive numbers`
        : `an energy of ${value} mJ; energies must be positive numbers, or absent where not measured`;
    throw new ModelError('bad-sample', `${which} has ${has}`);
  }
  if (!isPositive(macs(spec))) throw new ModelError('bad-sample', `${which} has no output to compute`);
  return { key, spec, value, unit, kernel };
}

function isPositive(value: number): boolean {
  return value > 0 && Number.isFinite(value);
}

function sorted(samples: readonly CostSample[]): CostSample[] {
  return [...samples].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.value - b.value));
}

/** The different shapes, sorted. */
export function shapesOf(samples: readonly CostSample[]): readonly string[] {
  return [...new Set(samples.map(({ key }) => key))].sort();
}
