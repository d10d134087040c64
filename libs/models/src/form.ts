import type { FittedForm } from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import type { KernelName } from './kernels/kernel-name.js';
import type { CostSample, CostUnit } from './sample.js';

/** Constants of a device that a form may use, for example `smCount`. Absent ones are not in the record. */
export type DeviceConstants = Readonly<Record<string, number>>;

/** `relative`: soft-L1 on log time, so that every layer counts alike. `absolute`: least squares on milliseconds. */
export type FitLoss = 'relative' | 'absolute';

/** Relative error at which a residual begins to count by its size instead of its square (soft L1). */
export const ROBUST_RELATIVE_ERROR = 0.1;

/** A fitted form to start from: that of another device, or that of time where energy is fitted. */
export interface Source {
  readonly fitted: FittedForm;
  readonly device: DeviceConstants;
  /** Whose it is, in words. */
  readonly of: string;
  /**
   * Given for the time model of the same document: what it predicts, by shape, without having seen the shape. The fit does
   * not copy such a source; `compile` gets it again.
   */
  readonly heldOutTimeMs?: ReadonlyMap<string, number>;
  /** Given beside it: the measured time, by shape. */
  readonly measuredTimeMs?: ReadonlyMap<string, number>;
}

/** What a form gets besides the samples. */
export interface FitContext {
  readonly seed: number;
  readonly loss: FitLoss;
  readonly device: DeviceConstants;
  /** Another fit, for a form that starts from it. */
  readonly source?: Source;
  /** A fit to most of the same samples, to start from: one start is then enough. */
  readonly near?: FormFit;
}

/** A form fitted to samples: what the document keeps, without the held-out error that cross-validation adds. */
export interface FormFit extends Omit<FittedForm, 'heldOut' | 'form'> {
  /** Limits of this fit, in words for the reader of the model. */
  readonly notes: readonly string[];
  /** Given by a form whose parts were fitted without some shapes: cross-validation then needs no fits of its own. */
  readonly outOfFold?: OutOfFold;
}

/** Predictions of samples, in their order, by fits that did not see their shapes. */
export interface OutOfFold {
  readonly values: Float64Array;
  /** As in {@link PredictedCost}. */
  readonly spread: Float64Array;
}

/**
 * Unit of a parameter. `per` stands for the unit of the cost that is fitted, with a text behind it: `{ per: '/MB' }` is ms/MB
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

/** Where each parameter stands in vectors that follow `definitions`; the first of those with the same name. */
export function placesOf<Name extends string>(
  definitions: readonly { readonly name: Name }[],
): Readonly<Record<Name, number>> {
  const names = definitions.map(({ name }) => name);
  return Object.fromEntries(names.map((name) => [name, names.indexOf(name)])) as Record<Name, number>;
}

export interface PredictedCost {
  /** Positive and finite, in the unit of the samples that the form was fitted to. */
  readonly value: number;
  /** Expected size of the log error there, over its typical size; 1 from a form that foresees none. */
  readonly spread: number;
}

/** Forms that do not know kernels ignore the kernel. */
export type CostPredictor = (spec: ConvSpec, kernel?: KernelName) => PredictedCost;

/** One way to predict a cost, time or energy: named, registered in forms.ts, fitted and compiled without any state of its own. */
export interface Form {
  readonly name: string;
  readonly description: string;
  /** Readable parameters of each kernel group; empty for a form that keeps everything in `extra`. */
  readonly parameters: readonly ParameterDefinition[];
  /** Whether the form can only be fitted from another fit. */
  readonly needsSource?: boolean;
  /** Whether the form can only be fitted to samples with kernels. */
  readonly needsKernels?: boolean;
  /** Which cost the form is of, where not of any: it then starts from the time model of the same document. */
  readonly costs?: 'energy';
  /** Different shapes that a fit needs; 1 when absent. */
  readonly leastShapes?: number;
  /**
   * Held-out errors over those of the published fit, where the latter joins parts that are held out one by one. Measured
   * on other data, on the low side; the choice between forms and the interval divide by it. 1 when absent.
   */
  readonly pessimism?: number;
  /** The form that this one corrects as far as that helps on held-out shapes: it is chosen over it without a least gain. */
  readonly corrects?: string;
  /** Losses that the form can be fitted by; all when absent. */
  readonly losses?: readonly FitLoss[];
  /** Deterministic: same samples and context, same result. Never fails on checked samples of enough shapes. */
  fit(samples: readonly CostSample[], context: FitContext): FormFit;
  /**
   * @param time the chosen form of the time model, for energy that starts from it
   * @throws ModelError `bad-document` when the fit lacks what the form needs.
   */
  compile(
    fit: Pick<FittedForm, 'groups' | 'extra'>,
    device: DeviceConstants,
    time?: FittedForm,
  ): CostPredictor;
}
