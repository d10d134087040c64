import { type Metrics, type NoiseFloor, percent } from '@alphaflops/contracts';
import { exp } from '@alphaflops/elementary';

/** If the median difference of two visits is larger, a model of these times is hardly useful. */
const TOO_HIGH = 0.1;

/**
 * A log ratio as a relative difference: 0.02 is 2 %.
 *
 * @param logRatio |ln(a / b)|
 */
export function relativeDifference(logRatio: number): number {
  return exp(logRatio) - 1;
}

/**
 * Notes about the error of a model and the noise floor.
 *
 * @param heldOut null: no shapes could be held out
 * @returns sentences for the reader of the model; may be empty
 */
export function noiseNotes(floor: NoiseFloor | undefined, heldOut: Metrics | null): string[] {
  if (floor === undefined) return [];
  const difference = relativeDifference(floor.medianLogRatio);
  const between = `two visits of a shape differ by ${percent(difference)} in the median`;
  if (difference > TOO_HIGH) {
    return [
      `the noise floor is too high for this model to mean much: ${between}; measure again while the device is quiet`,
    ];
  }
  if (heldOut === null || heldOut.medianApe > difference) return [];
  return [
    `the held-out median error of ${percent(heldOut.medianApe)} is at the noise floor: ${between}, so that neither more samples nor another form can lower it much`,
  ];
}
