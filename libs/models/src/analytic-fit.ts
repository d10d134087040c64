import type { FittedGroup, Parameter } from '@alphaflops/contracts';
import { log } from '@alphaflops/elementary';
import { leastSquares, type LeastSquaresResult } from '@alphaflops/least-squares';
import type { AnalyticForm } from './analytic-formula.js';
import { ROBUST_RELATIVE_ERROR, unitText, type FitContext, type ParameterDefinition } from './form.js';
import { shapesOf, unitOfCosts, type CostSample, type CostUnit } from './sample.js';

const { abs, max } = Math;

/**
 * The data show an effect when it lowers the cost by more than chance: F statistic of the two nested fits over distinct
 * shapes. 7 is about the 0.1 % point for two parameters.
 */
const EFFECT_F = 7;
/** Number of steps from each start. The search then continues only from the best one. */
const GLIMPSE_ITERATIONS = 3;
/** Tolerance of the fits of folds. They only give errors, which do not depend on further digits of a parameter. */
const NEAR_TOLERANCE = 1e-4;
/** Below this mean cost, a fit is exact, and an effect cannot explain anything more. */
const EXACT_COST = 1e-16;

export interface GroupFit {
  readonly result: Pick<FittedGroup, 'parameters' | 'correlation' | 'stopped'>;
  readonly notes: readonly string[];
}

/** Fits one formula to the samples of one kernel group: several starts, the best result, and a state for each parameter. */
export function fitGroup<X>(
  formula: AnalyticForm<X>,
  samples: readonly CostSample[],
  enoughShapes: number,
  context: Omit<FitContext, 'near'> & { readonly near: FittedGroup | undefined },
): GroupFit {
  const search = new GroupSearch(formula, samples, context);
  const shapes = shapesOf(samples).length;
  const nothing = formula.withoutEffect;
  if (!nothing) return { result: search.describe(search.best({}), {}), notes: [] };

  const reduced = search.best(nothing.values);
  if (shapes < enoughShapes) {
    const note = `${shapes} shapes are too few to tell ${Object.keys(nothing.values).join(' and ')}`;
    return { result: search.describe(reduced, nothing.values), notes: [note] };
  }
  const full = search.best({});
  const effects = Object.keys(nothing.values).length;
  const f = ((reduced.cost - full.cost) / full.cost) * ((shapes - formula.parameters.length) / effects);
  const exact = reduced.cost <= EXACT_COST * samples.length;
  if (!exact && f > EFFECT_F) return { result: search.describe(full, {}), notes: [] };
  return { result: search.describe(reduced, nothing.values), notes: [nothing.note] };
}

class GroupSearch<X> {
  private readonly points: readonly { readonly x: X; readonly value: number }[];
  private readonly starts: readonly (readonly number[])[];
  private readonly unit: CostUnit;

  constructor(
    private readonly formula: AnalyticForm<X>,
    samples: readonly CostSample[],
    private readonly context: Omit<FitContext, 'near'> & { readonly near: FittedGroup | undefined },
  ) {
    this.points = samples.map(({ spec, value }) => ({ x: formula.variables(spec, context.device), value }));
    this.unit = unitOfCosts(samples);
    this.starts = context.near
      ? [context.near.parameters.map(({ value }) => value)]
      : formula.starts(this.points);
  }

  /**
   * Best result with the named parameters fixed. The search makes a few steps from every start, then continues from the best
   * one. With fixed parameters the problem is simple, and one start is enough.
   */
  best(fixed: Readonly<Record<string, number>>): LeastSquaresResult {
    const starts = Object.keys(fixed).length > 0 ? this.starts.slice(0, 1) : this.starts;
    if (starts.length === 1) return this.from(starts[0] ?? [], fixed);
    const glimpses = starts.map((start) => this.from(start, fixed, GLIMPSE_ITERATIONS));
    const nearest = glimpses.reduce((a, b) => (b.cost < a.cost ? b : a));
    return nearest.reason === 'max-iterations' ? this.from(nearest.parameters, fixed) : nearest;
  }

  private from(
    start: ArrayLike<number>,
    fixed: Readonly<Record<string, number>>,
    maxIterations?: number,
  ): LeastSquaresResult {
    const { formula, points } = this;
    const n = formula.parameters.length;
    const rows = points.length;
    const relative = this.context.loss === 'relative';
    const measured = Float64Array.from(points, ({ value }) => (relative ? log(value) : value));
    const xs = points.map(({ x }) => x);
    const gradientOf = formula.gradient?.bind(formula);
    const gradient = new Float64Array(n);
    return leastSquares(
      {
        residualCount: rows,
        start,
        lower: formula.parameters.map(({ name, lower }) => fixed[name] ?? lower),
        upper: formula.parameters.map(({ name, upper }) => fixed[name] ?? upper),
        ...(relative ? { loss: 'soft-l1', lossScale: ROBUST_RELATIVE_ERROR } : { loss: 'linear' }),
        residuals: (p, out) => {
          xs.forEach((x, i) => {
            const predicted = formula.cost(p, x);
            out[i] = (relative ? log(predicted) : predicted) - (measured[i] ?? 0);
          });
        },
        ...(gradientOf && {
          jacobian: (p, out) => {
            xs.forEach((x, i) => {
              gradientOf(p, x, gradient);
              const scale = relative ? 1 / formula.cost(p, x) : 1;
              for (let j = 0; j < n; j++) out[j * rows + i] = (gradient[j] ?? 0) * scale;
            });
          },
        }),
      },
      {
        ...(maxIterations !== undefined && { maxIterations }),
        ...(this.context.near && { tolerance: NEAR_TOLERANCE }),
      },
    );
  }

  describe(fit: LeastSquaresResult, fixed: Readonly<Record<string, number>>): GroupFit['result'] {
    const parameters = this.formula.parameters.map((definition, j): Parameter => {
      const value = fit.parameters[j] ?? NaN;
      const standardError = fit.standardErrors[j] ?? null;
      const start = max(...this.starts.map((point) => abs(point[j] ?? 0)));
      const base = { name: definition.name, value, unit: unitText(definition.unit, this.unit) };
      if (fit.states[j] === 'on-bound' && !(definition.name in fixed)) {
        return { ...base, standardError: null, state: 'on-bound' };
      }
      const identified =
        fit.states[j] === 'estimated' &&
        (standardError === null || standardError <= meaninglessError(definition, value, start));
      return identified
        ? { ...base, standardError, state: 'estimated' }
        : { ...base, standardError: null, state: 'not-identifiable' };
    });
    const isEstimated = (j: number): boolean => parameters[j]?.state === 'estimated';
    const correlation = fit.correlation.map((row, i) =>
      row.map((value, j) => (isEstimated(i) && isEstimated(j) ? value : null)),
    );
    return { parameters, correlation, stopped: fit.reason };
  }
}

/**
 * Standard error above which an estimate has no meaning: half the range of a parameter with two bounds, or else the larger of
 * the estimate and its start value.
 */
function meaninglessError({ lower, upper }: ParameterDefinition, value: number, start: number): number {
  const halfRange = (upper - lower) / 2;
  return Number.isFinite(halfRange) ? halfRange : max(abs(value), start);
}
