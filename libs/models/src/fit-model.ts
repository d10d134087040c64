import {
  ModelSchema,
  type EnergyModel,
  type KernelMapKey,
  type Kernels,
  type Model,
  type NoiseFloor,
} from '@alphaflops/contracts';
import { MIN_SHAPES } from './cross-validation.js';
import { ModelError } from './error.js';
import { fitCost, suffices, type CostFit, type CostOptions, type FitProgress } from './fit-cost.js';
import { judgeAssumed, knowKernels, type KernelKnowledge } from './fit-kernels.js';
import type { KernelLabel } from './kernels/kernel-classifier.js';
import { kernelNameOf } from './kernels/kernel-name.js';
import { MAX_SHAPES, samplesToFit } from './most-shapes.js';
import type { FitContext, FitLoss, Source } from './form.js';
import { noiseNotes } from './noise-floor.js';
import { energySamples, samplesOfOneMeter, shapesOf } from './sample.js';
import type { FitSample, MeteredSamples, CostSample } from './sample.js';

/** The origin of a model; copied into the document unchanged. */
export interface FitOrigin {
  /** SHA-256 of the canonical rows that the fit gets. */
  readonly digest: string;
  /** Rows left out before the fit, by reason. */
  readonly excluded?: Readonly<Record<string, number>>;
  readonly deviceClassId?: string | null;
  readonly campaignId?: string | null;
  readonly protocol?: Model['protocol'];
  readonly design?: string | null;
  /** Noise floor of the campaign that requested the fit, or of the newest campaign of the class. */
  readonly noiseFloor?: NoiseFloor | undefined;
  readonly codeVersion: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
}

export interface FitOptions {
  /** A registered form, or `auto`: the form with the smallest cross-validated median error. */
  readonly form?: string;
  readonly seed?: number;
  /** Requested coverage of the interval, between 0 and 1. */
  readonly coverage?: number;
  readonly loss?: FitLoss;
  /** Constants of the device that forms may use, for example `smCount`. */
  readonly device?: Readonly<Record<string, number>>;
  /**
   * Another device's model, or its samples, to which a model is fitted first. `auto` also tries to start from this
   * model, which helps if this device has few samples.
   */
  readonly source?: Model | readonly FitSample[];
  /** Shapes with their kernels, timed or not. The classifier of kernels learns from them and from the samples. */
  readonly kernelLabels?: readonly KernelLabel[];
  /**
   * The library that chose the kernels of samples and labels. A prediction needs it to ask the same cuDNN. It includes
   * the digest of the labels' kernel map, null for labels without a map.
   */
  readonly kernelMap?: { readonly key: KernelMapKey; readonly digest: string | null };
  /** Largest number of shapes. If there are more, the seed draws this number of them. */
  readonly mostShapes?: number;
  readonly onProgress?: FitProgress;
  readonly origin: FitOrigin;
}

export const FIT_DEFAULTS = {
  form: 'auto',
  seed: 1,
  coverage: 0.9,
  loss: 'relative',
  mostShapes: MAX_SHAPES,
} as const;

/**
 * Fits a model to samples of one device class: the requested form or the best of all. The document always has `flops`
 * and `alpha`, too. The forms are cross-validated by shape, and the model has a conformal interval. If enough samples
 * have energy, it also has a model of energy. If there are more than `mostShapes` shapes, the seed draws `mostShapes`
 * of them. The function is pure: the same samples (in any order), options and seed give the same bytes. `notes` lists
 * the limits of the model. `id` and `version` are null until it is published.
 *
 * @param allSamples times in milliseconds, energies in millijoules, in any order
 * @throws ModelError `no-samples`, `bad-sample` (also when the times are too extreme for a fit), `unknown-form`, `bad-option`.
 */
export function fitModel(allSamples: readonly FitSample[], options: FitOptions): Model {
  const {
    form,
    seed,
    coverage,
    loss,
    device = {},
    source,
    kernelLabels = [],
    kernelMap,
    mostShapes,
    onProgress,
    origin,
  } = { ...FIT_DEFAULTS, ...options };
  if (!(coverage > 0 && coverage < 1)) {
    throw new ModelError('bad-option', `the coverage must be between 0 and 1, not ${coverage}`);
  }
  const { shaped: given, samples, excluded, notes } = samplesToFit(allSamples, seed, mostShapes);
  const knowledge = loss === 'relative' ? knowKernels(given, kernelLabels, seed) : null;
  const shaped = knowledge?.samples ?? given;
  const metered = samplesOfOneMeter(samples);
  const context: FitContext = {
    ...{ seed, loss, device },
    ...(source && { source: otherDevice(source, seed, origin) }),
  };
  const requested = { form, coverage, context, ...(onProgress && { onProgress }) };
  const time = fitCost(shaped, requested);
  const kernels = knowledge && kernelsOf(shaped, knowledge, time, context, coverage);
  const energy = fitEnergy(metered, shaped, time, requested);
  const parsed = ModelSchema.safeParse({
    schema: 'alphaflops.model/1',
    id: null,
    version: null,
    deviceClassId: origin.deviceClassId ?? null,
    campaignId: origin.campaignId ?? null,
    status: 'published',
    statusReason: null,
    loss,
    ...time.cost,
    ...(kernels && { kernels: { ...kernels, ...mapOf(kernelMap) } }),
    ...(energy && { energy }),
    device,
    data: {
      digest: origin.digest,
      samples: shaped.length,
      shapes: shapesOf(shaped).length,
      excluded: { ...origin.excluded, ...excluded },
    },
    protocol: origin.protocol ?? null,
    design: origin.design ?? null,
    seed,
    ...(origin.noiseFloor && { noiseFloor: origin.noiseFloor }),
    notes: [
      ...notes,
      ...time.cost.notes,
      ...noiseNotes(origin.noiseFloor, chosenOf(time.cost).heldOut),
      ...energyNotes(metered, energy),
    ],
    codeVersion: origin.codeVersion,
    createdAt: origin.createdAt,
  } satisfies Model);
  if (parsed.success) return parsed.data;
  throw new ModelError('bad-sample', unusable(shaped, parsed.error.issues));
}

function mapOf(map: FitOptions['kernelMap']): Pick<Kernels, 'key' | 'mapDigest'> {
  return { ...(map && { key: map.key }), ...(map?.digest && { mapDigest: map.digest }) };
}

/** The reason why a fit gave no document: it contains a number that is not finite. */
function unusable(samples: readonly CostSample[], issues: readonly { path: PropertyKey[] }[]): string {
  const byTime = samples.toSorted((a, b) => a.value - b.value);
  const [shortest, longest] = [byTime[0], byTime.at(-1)].map((sample) =>
    sample === undefined ? 'none' : `${sample.value} ms (${sample.key})`,
  );
  return (
    `the fit gives no finite number for ${issues
      .map(({ path }) => path.join('.'))
      .slice(0, 3)
      .join(', ')}; ` + `the times go from ${shortest ?? ''} to ${longest ?? ''}: check the extreme ones`
  );
}

/** Kernels whose error is in a document. */
const TOLD_KERNELS = 40;

/** Null if the chosen form does not use kernels. */
function kernelsOf(
  samples: readonly CostSample[],
  knowledge: KernelKnowledge,
  { cost, chosen, heldOut }: CostFit,
  { device }: FitContext,
  coverage: number,
): Kernels | null {
  if (!chosen.needsKernels || !heldOut) return null;
  const predict = chosen.compile(chosenOf(cost), device);
  const { classifier, labels, given } = knowledge;
  const byKernel = new Map<string, number[]>();
  samples.forEach(({ kernel, value }, i) => {
    const name = kernelNameOf(kernel ?? '').kernel;
    const error = Math.abs((heldOut.values[i] ?? NaN) / value - 1);
    byKernel.set(name, [...(byKernel.get(name) ?? []), error]);
  });
  return {
    ...{ classifier: classifier.classifier, labels, given },
    ...judgeAssumed(samples, heldOut, chosen.pessimism ?? 1, knowledge, predict, coverage),
    errors: [...byKernel]
      .sort(([a, m], [b, n]) => n.length - m.length || (a < b ? -1 : 1))
      .slice(0, TOLD_KERNELS)
      .map(([kernel, errors]) => {
        const sorted = errors.sort((a, b) => a - b);
        return { kernel, n: errors.length, medianApe: sorted[errors.length >> 1] ?? NaN };
      }),
  };
}

/** Null if there are too few shapes for held-out errors: an energy without a known error is not published. */
function fitEnergy(
  { samples: metered, meter }: MeteredSamples,
  timed: readonly CostSample[],
  time: CostFit,
  options: CostOptions,
): EnergyModel | null {
  const samples = energySamples(metered);
  if (samples.length === 0) return null;
  // Energy uses kernels if time does: both share one classifier.
  const kernelOf = new Map(time.chosen.needsKernels ? timed.map(({ key, kernel }) => [key, kernel]) : []);
  const shaped = samples.map((sample) => ({
    ...sample,
    kernel: kernelOf.get(sample.key) ?? null,
  }));
  const shapes = shapesOf(shaped).length;
  if (shapes < MIN_SHAPES) return null;
  const context: FitContext = { ...options.context, source: ownTime(timed, time, options.context) };
  const form = suffices(options.form, shapes, context) ? options.form : 'auto';
  return {
    ...fitCost(shaped, { ...options, form, context }).cost,
    data: { samples: shaped.length, shapes, ...(meter !== null && { meter }) },
  };
}

function ownTime(timed: readonly CostSample[], { cost, heldOut }: CostFit, { device }: FitContext): Source {
  return {
    ...{ fitted: chosenOf(cost), device },
    of: `the time model of this device (${timed.length} samples)`,
    measuredTimeMs: new Map(timed.map(({ key, value }) => [key, value])),
    heldOutTimeMs: new Map(heldOut ? timed.map(({ key }, i) => [key, heldOut.values[i] ?? NaN]) : []),
  };
}

function otherDevice(given: Model | readonly FitSample[], seed: number, origin: FitOrigin): Source {
  const { codeVersion, createdAt } = origin;
  // Samples have no document. The note says that they come from another device.
  const model =
    'forms' in given
      ? given
      : fitModel(given, { seed, origin: { digest: 'not given', codeVersion, createdAt } });
  const { data, deviceClassId, device } = model;
  return {
    ...{ fitted: chosenOf(model), device },
    of: `a model of ${deviceClassId ?? 'another device'} (${data.samples} samples, digest ${data.digest})`,
  };
}

function chosenOf({ forms, chosenForm }: Pick<Model, 'forms' | 'chosenForm'>): Source['fitted'] {
  const chosen = forms.find(({ form }) => form === chosenForm);
  if (!chosen) throw new ModelError('bad-document', `the model lacks its chosen form ${chosenForm}`);
  return chosen;
}

function energyNotes({ samples, meter, leftOut }: MeteredSamples, energy: EnergyModel | null): string[] {
  const others =
    leftOut === 0
      ? []
      : [
          `the energies of ${leftOut} samples are left out: they do not come from the meter ${meter ?? 'without a name'}`,
        ];
  if (energy !== null || samples.length === 0) return others;
  return [
    `${samples.length} samples with energy have too few shapes for a model of energy (${MIN_SHAPES} needed)`,
    ...others,
  ];
}
