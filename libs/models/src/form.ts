import type { FittedForm } from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import type { KernelName } from './kernels/kernel-name.js';
import type { CostSample, CostUnit } from './sample.js';

/** Constants of a device that a form may use, for example `smCount`. Absent ones are not in the record. */
export type DeviceConstants = Readonly<Record<string, number>>;

/** `relative`: soft-L1 on log time, so that every layer has the same weight. `absolute`: least squares on milliseconds. */
export type FitLoss = 'relative' | 'absolute';

/** Relative error from which on the loss of a residual is linear instead of quadratic (soft L1). */
export const ROBUST_RELATIVE_ERROR = 0.1;

/** A fitted form from which another fit starts: the form of another device, or for energy the form of time. */
export interface Source {
  readonly fitted: FittedForm;
  readonly device: DeviceConstants;
  /** Origin of the form, in words. */
  readonly of: string;
  /**
   * Only for the time model of the same document: its held-out predictions, by shape. The fit does not copy such a source;
   * `compile` gets it again.
   */
  readonly heldOutTimeMs?: ReadonlyMap<string, number>;
  /** Given together with `heldOutTimeMs`: the measured time, by shape. */
  readonly measuredTimeMs?: ReadonlyMap<string, number>;
}

/** The input of a fit, in addition to the samples. */
export interface FitContext {
  readonly seed: number;
  readonly loss: FitLoss;
  readonly device: DeviceConstants;
  /** Another fit, for a form that starts from one. */
  readonly source?: Source;
  /** A fit to most of the same samples. With it, one start is enough. */
  readonly near?: FormFit;
}

/** A form fitted to samples, as in the document, but without the held-out error, which cross-validation adds. */
export interface FormFit extends Omit<FittedForm, 'heldOut' | 'form'> {
  /** Limits of this fit, in words for the reader of the model. */
  readonly notes: readonly string[];
  /** Only from a form whose parts were each fitted without some shapes. Cross-validation then needs no fits of its own. */
  readonly outOfFold?: OutOfFold;
}

/** Predictions of samples, in their order, by fits that did not see their shapes. */
export interface OutOfFold {
  readonly values: Float64Array;
  /** As in {@link PredictedCost}. */
  readonly spread: Float64Array;
}

/**
 * Unit of a parameter. `per` is the unit of the fitted cost, followed by a text: `{ per: '/MB' }` is ms/MB
 * of a time and mJ/MB of an energy.
 */
export type ParameterUnit = string | { readonly per: string };

/** @param cost unit of the samples that the form is fitted to */
export function unitText(unit: ParameterUnit, cost: CostUnit): string {
  return typeof unit === 'string' ? unit : `${cost}${unit.per}`;
}

export interface ParameterDefinition {
  readonly name: string;
  readonly unit: ParameterUnit;
  readonly lower: number;
  readonly upper: number;
  readonly description: string;
}

/** Index of each parameter in vectors with the order of `definitions`; of parameters with the same name, the first index. */
export function placesOf<Name extends string>(
  definitions: readonly { readonly name: Name }[],
): Readonly<Record<Name, number>> {
  const names = definitions.map(({ name }) => name);
  return Object.fromEntries(names.map((name) => [name, names.indexOf(name)])) as Record<Name, number>;
}

export interface PredictedCost {
  /** Positive and finite, in the unit of the samples of the fit. */
  readonly value: number;
  /** Expected size of the log error, divided by its typical size; 1 from a form that does not predict it. */
  readonly spread: number;
}

/** Forms without kernels ignore the kernel. */
export type CostPredictor = (spec: ConvSpec, kernel?: KernelName) => PredictedCost;

/** A registered way to predict a cost, time or energy (forms.ts). It has no state: fits and compiled predictors are separate values. */
export interface Form {
  readonly name: string;
  readonly description: string;
  /** Readable parameters of each kernel group; empty for a form that stores everything in `extra`. */
  readonly parameters: readonly ParameterDefinition[];
  /** Whether the form can only be fitted from another fit. */
  readonly needsSource?: boolean;
  /** Whether the form can only be fitted to samples with kernels. */
  readonly needsKernels?: boolean;
  /** The only cost that the form can predict; absent: any. An energy form starts from the time model of the same document. */
  readonly costs?: 'energy';
  /** Minimum number of different shapes for a fit; 1 when absent. */
  readonly leastShapes?: number;
  /**
   * Held-out errors divided by those of the published fit. It is above 1 if the published fit combines several parts, of which
   * only one predicts each held-out shape. Measured on other data, and probably too low. The choice between forms and the
   * interval divide by it. 1 when absent.
   */
  readonly pessimism?: number;
  /** The form that this one corrects. This form is chosen over it for any gain on held-out shapes, without a minimum gain. */
  readonly corrects?: string;
  /** Losses with which the form can be fitted; all when absent. */
  readonly losses?: readonly FitLoss[];
  /** Deterministic: the same samples and context give the same result. It never fails on checked samples of enough shapes. */
  fit(samples: readonly CostSample[], context: FitContext): FormFit;
  /**
   * @param time the chosen form of the time model, for an energy form that starts from it
   * @throws ModelError `bad-document` when the fit does not have all parts that the form needs.
   */
  compile(
    fit: Pick<FittedForm, 'groups' | 'extra'>,
    device: DeviceConstants,
    time?: FittedForm,
  ): CostPredictor;
}
