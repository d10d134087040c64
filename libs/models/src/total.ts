import type { Prediction, Predictions } from '@alphaflops/contracts';
import { exp, log, square } from '@alphaflops/elementary';

/**
 * Correlation between the errors of two layers of a network. docs/models.md, "Whole networks", gives its origin.
 * Independent errors (0) would make the interval too narrow, equal errors (1) too wide.
 */
export const ERROR_CORRELATION = 0.3;

const MILLIJOULES_PER_WH = 3_600_000;

/** A layer and its prediction. */
export interface PredictedLayer {
  /** The layer's `specKey`. */
  readonly key: string;
  readonly prediction: Prediction;
}

/**
 * The total cost of layers. Their errors partly cancel, but they are not independent: the error of a model for a shape
 * is the same each time, and similar for nearby shapes. With half-widths w_i of the layers' times t_i in log time and
 * the correlation ρ, the total's half-width is √(ρ (Σ w_i t_i)² + (1 − ρ) Σ (w_i t_i)²) / Σ t_i. Layers of one shape
 * count as one. Energies use the same formula. The total has no interval if a layer has none.
 *
 * @param layers in the order of the network; a layer that occurs twice is listed twice
 * @returns milliseconds, millijoules and watt-hours of all layers together
 */
export function predictedTotal(layers: readonly PredictedLayer[]): Predictions['total'] {
  const sum = (of: (prediction: Prediction) => number): number =>
    layers.reduce((total, { prediction }) => total + of(prediction), 0);
  const predictedMs = sum((p) => p.predictedMs);
  const energyMillijoules = layers.every(({ prediction }) => prediction.energyMillijoules !== null)
    ? sum((p) => p.energyMillijoules ?? 0)
    : null;
  const time = logHalfWidth(layers, (p) => [p.predictedMs, p.upperMs]);
  const energy =
    energyMillijoules === null
      ? null
      : logHalfWidth(layers, (p) => [p.energyMillijoules ?? NaN, p.upperEnergyMillijoules]);
  return {
    macs: sum((p) => p.macs),
    flops: sum((p) => p.flops),
    alphaFlops: sum((p) => p.alphaFlops),
    predictedMs,
    lowerMs: time === null ? null : predictedMs / exp(time),
    upperMs: time === null ? null : predictedMs * exp(time),
    energyMillijoules,
    lowerEnergyMillijoules:
      energyMillijoules === null || energy === null ? null : energyMillijoules / exp(energy),
    upperEnergyMillijoules:
      energyMillijoules === null || energy === null ? null : energyMillijoules * exp(energy),
    energyWh: energyMillijoules === null ? null : energyMillijoules / MILLIJOULES_PER_WH,
    layersOutsideDomain: sum((p) => (p.inDomain ? 0 : 1)),
  };
}

/**
 * Half-width of the sum of the layers' values in log space. `of` gives the value and the upper bound of a layer. Null
 * if a layer has no bound.
 */
function logHalfWidth(
  layers: readonly PredictedLayer[],
  of: (prediction: Prediction) => readonly [value: number, upper: number | null],
): number | null {
  const uncertain = new Map<string, number>();
  let total = 0;
  for (const { key, prediction } of layers) {
    const [value, upper] = of(prediction);
    uncertain.set(key, (uncertain.get(key) ?? 0) + log((upper ?? NaN) / value) * value);
    total += value;
  }
  let together = 0;
  let squares = 0;
  for (const width of uncertain.values()) {
    together += width;
    squares += square(width);
  }
  const width = Math.sqrt(ERROR_CORRELATION * square(together) + (1 - ERROR_CORRELATION) * squares) / total;
  return Number.isFinite(width) ? width : null;
}

/**
 * Emissions of a total as CO2e. They come from the electricity that the accelerator uses to compute these layers,
 * without the rest of the machine. One pass over the layers is `inferencesPerPass` inferences. Null if the total has no
 * energy.
 *
 * @param gridIntensityGramsPerKwh grams of CO2e per kilowatt-hour of electricity
 * @returns grams of one inference, kilograms of a million
 */
export function emissionsOf(
  { energyMillijoules, lowerEnergyMillijoules, upperEnergyMillijoules }: Predictions['total'],
  gridIntensityGramsPerKwh: number,
  inferencesPerPass: number,
): NonNullable<Predictions['emissions']> | null {
  if (energyMillijoules === null) return null;
  const grams = (mj: number) =>
    ((mj / MILLIJOULES_PER_WH / 1000) * gridIntensityGramsPerKwh) / inferencesPerPass;
  const perInference = {
    grams: grams(energyMillijoules),
    lowerGrams: lowerEnergyMillijoules === null ? null : grams(lowerEnergyMillijoules),
    upperGrams: upperEnergyMillijoules === null ? null : grams(upperEnergyMillijoules),
  };
  const kilograms = (value: number) => value * 1000;
  return {
    gridIntensityGramsPerKwh,
    inferencesPerPass,
    perInference,
    perMillionInferences: {
      kilograms: kilograms(perInference.grams),
      lowerKilograms: perInference.lowerGrams === null ? null : kilograms(perInference.lowerGrams),
      upperKilograms: perInference.upperGrams === null ? null : kilograms(perInference.upperGrams),
    },
  };
}
