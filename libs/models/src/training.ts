import type { Model, Training, TrainingCost } from '@alphaflops/contracts';
import { canonicalSpec, PASSES, type ConvSpec, type Pass } from '@alphaflops/conv';
import { emissionsOf, predictedTotal, type PredictedLayer } from './total.js';

export interface TrainingOptions {
  /** Passes of which the model has samples. */
  readonly knownPasses: readonly string[];
  /** Samples that one step trains on. */
  readonly batch: number;
  /** Samples of an epoch. */
  readonly samples?: number | undefined;
  readonly gridIntensityGramsPerKwh?: number | undefined;
}

/** The passes to which a model was fitted. Older models have only the forward pass. */
export function passesOf({ domainLevels }: Pick<Model, 'domainLevels'>): readonly string[] {
  return domainLevels['pass'] ?? ['forward'];
}

/**
 * The same layers in another pass.
 *
 * @returns canonical specs, one for each layer
 */
export function layersInPass(layers: readonly ConvSpec[], pass: Pass): ConvSpec[] {
  return layers.map((spec) => canonicalSpec({ ...spec, pass }));
}

/**
 * The cost of a training step: the forward pass of each layer, and the gradients of its input and of its weights. A
 * layer that is itself a backward-data pass (a transposed convolution) has the same three passes. The cost includes the
 * gradient of the network's own input, although frameworks do not compute it.
 *
 * @param predicted predictions of the layers in each pass, as `layersInPass` gives them
 * @returns milliseconds and millijoules of one step and of an epoch; the epoch is null if `samples` is not given
 */
export function trainingOf(
  predicted: Readonly<Record<Pass, readonly PredictedLayer[]>>,
  { knownPasses, batch, samples, gridIntensityGramsPerKwh: intensity }: TrainingOptions,
): Training {
  const total = predictedTotal(PASSES.flatMap((pass) => predicted[pass]));
  const steps = samples === undefined ? null : Math.ceil(samples / batch);
  const emissions = intensity === undefined ? undefined : emissionsOf(total, intensity, 1);
  const grams = emissions?.perInference ?? null;
  return {
    layers: predicted.forward.map((forward, at) => ({
      forward: forward.prediction,
      'backward-data': (predicted['backward-data'][at] ?? forward).prediction,
      'backward-weights': (predicted['backward-weights'][at] ?? forward).prediction,
    })),
    passes: {
      forward: costOf(predictedTotal(predicted.forward)),
      'backward-data': costOf(predictedTotal(predicted['backward-data'])),
      'backward-weights': costOf(predictedTotal(predicted['backward-weights'])),
    },
    step: costOf(total),
    epoch: steps === null ? null : { samples: samples ?? 0, steps, ...times(costOf(total), steps) },
    unknownPasses: PASSES.filter((pass) => !knownPasses.includes(pass)),
    ...(emissions !== undefined && {
      emissions: grams && { step: grams, epoch: steps === null ? null : times(grams, steps) },
    }),
  };
}

function costOf(total: ReturnType<typeof predictedTotal>): TrainingCost {
  const {
    macs,
    predictedMs,
    lowerMs,
    upperMs,
    energyMillijoules,
    lowerEnergyMillijoules,
    upperEnergyMillijoules,
  } = total;
  return {
    macs,
    predictedMs,
    lowerMs,
    upperMs,
    energyMillijoules,
    lowerEnergyMillijoules,
    upperEnergyMillijoules,
  };
}

/** All steps have the same error, so an epoch has the same relative uncertainty as a step. */
function times<T extends Record<keyof T, number | null>>(cost: T, steps: number): T {
  return Object.fromEntries(
    Object.entries<number | null>(cost).map(([name, value]) => [name, value === null ? null : value * steps]),
  ) as T;
}
