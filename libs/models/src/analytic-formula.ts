import type { ConvSpec } from '@alphaflops/conv';
import type { DeviceConstants, ParameterDefinition } from './form.js';

/** Parameters in the order of their definitions. */
export type ParameterVector = ArrayLike<number>;

/**
 * A form that is a formula with a few parameters per kernel group. `X` are the variables that the formula uses, computed once
 * per sample.
 */
export interface AnalyticForm<X> {
  readonly name: string;
  readonly description: string;
  readonly parameters: readonly ParameterDefinition[];
  /** The kernel group of a spec. Each group has its own fit. */
  groupOf(spec: ConvSpec): string;
  variables(spec: ConvSpec, device: DeviceConstants): X;
  /** Positive and finite wherever the parameters are within their bounds. */
  cost(parameters: ParameterVector, x: X): number;
  /** Fills `out` with ∂cost/∂parameters; differences are used when absent. */
  gradient?(parameters: ParameterVector, x: X, out: Float64Array): void;
  /** Start points of the search, of which the best result is used. At least one, within the bounds. `value` is the measured cost. */
  starts(samples: readonly { readonly x: X; readonly value: number }[]): readonly (readonly number[])[];
  /**
   * Values at which part of the formula has no effect. If the data do not show that effect, the fit uses these values and
   * reports the parameters as not identifiable.
   */
  readonly withoutEffect?: { readonly values: Readonly<Record<string, number>>; readonly note: string };
}
