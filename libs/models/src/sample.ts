import { macs, specKey, type ConvSpec } from '@alphaflops/conv';
import { ModelError } from './error.js';

/** One measured convolution. */
export interface FitSample {
  readonly spec: ConvSpec;
  readonly timeMs: number;
  /** Null or absent where not measured. */
  readonly energyMillijoules?: number | null;
  /** The kernel that ran, as cudnn-frontend spells it; null or absent where not known. */
  readonly kernel?: string | null;
  /** Name of the meter that counted the energy; absent where not known. */
  readonly energyMeter?: string;
}

/** Samples with energy by one meter. Energies of different meters are not comparable. */
export interface MeteredSamples {
  readonly samples: readonly FitSample[];
  /** Null where the samples do not name their meter. */
  readonly meter: string | null;
  /** Samples by other meters. */
  readonly leftOut: number;
}

/**
 * The samples of the meter with the most of them; the first by name of several with as many.
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

/**
 * The samples with energy, as samples of it: `timeMs` holds millijoules there, for every form is of a positive cost.
 *
 * @throws ModelError `bad-sample` naming the first sample with an energy that is not a positive number
 */
export function energySamples(samples: readonly FitSample[]): FitSample[] {
  return samples.flatMap(({ spec, energyMillijoules, kernel = null }, index) => {
    if (energyMillijoules === null || energyMillijoules === undefined) return [];
    if (energyMillijoules > 0 && Number.isFinite(energyMillijoules))
      return [{ spec, timeMs: energyMillijoules, kernel }];
    const which = `sample ${index + 1} (${specKey(spec)})`;
    throw new ModelError(
      'bad-sample',
      `${which} has an energy of ${energyMillijoules} mJ; energies must be positive numbers, or absent where not measured`,
    );
  });
}

/** A checked sample with the key of its shape. */
export interface ShapedSample extends FitSample {
  readonly key: string;
}

/**
 * Checks samples and puts them in an order that does not depend on the order they came in.
 *
 * @throws ModelError `no-samples`, or `bad-sample` naming the first sample with a time that is not a positive number or a
 * spec without output.
 */
export function shapeSamples(samples: readonly FitSample[]): readonly ShapedSample[] {
  if (samples.length === 0) throw new ModelError('no-samples', 'there are no samples to fit or evaluate');
  return samples
    .map(({ spec, timeMs, kernel = null }, index) => {
      const key = specKey(spec);
      if (!(timeMs > 0) || !Number.isFinite(timeMs)) {
        throw new ModelError(
          'bad-sample',
          `sample ${index + 1} (${key}) has a time of ${timeMs} ms; times must be positive numbers`,
        );
      }
      const work = macs(spec);
      if (!(work > 0) || !Number.isFinite(work)) {
        throw new ModelError('bad-sample', `sample ${index + 1} (${key}) has no output to compute`);
      }
      return { spec, timeMs, kernel, key };
    })
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.timeMs - b.timeMs));
}

/** The different shapes, sorted. */
export function shapesOf(samples: readonly ShapedSample[]): readonly string[] {
  return [...new Set(samples.map(({ key }) => key))].sort();
}
