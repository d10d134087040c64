import { cube } from '@alphaflops/elementary';

const { abs, max, min } = Math;

/** A least-squares problem at its present parameters. The implementation decides how to linearize and solve it. */
export interface Linearization {
  readonly parameters: Float64Array;
  /** Sum of the losses at the parameters. */
  readonly cost: number;
  /** Linearizes the residuals at the parameters. Returns false if the cost is flat there. */
  linearize(): boolean;
  /** Returns the parameters after the step that solves the linear problem with this damping, moved into the bounds. */
  damped(damping: number): Float64Array;
  /**
   * Returns the decrease of the cost that the linear problem predicts for the move to `target`. A move without a
   * positive decrease is rejected.
   */
  promised(target: Float64Array): number;
  costAt(target: Float64Array): number;
  moveTo(target: Float64Array, cost: number): void;
  /** Whether the search ends after this move, which lowers the cost to `cost`. */
  isLast(target: Float64Array, cost: number, promised: number): boolean;
  /** Whether a rejected move, which leads to `cost`, shows that no damping helps. */
  isExhausted(cost: number, promised: number): boolean;
}

export interface SearchEnd {
  readonly reason: 'converged' | 'max-iterations';
  /** Moves before the last one, or all of them for `max-iterations`. */
  readonly iterations: number;
}

const INITIAL_DAMPING = 1e-3;
/** Damping beyond which a step is below the resolution of doubles. */
const MAX_DAMPING = 1e30;
/** A step is accepted if it achieves at least this share of the predicted decrease. */
const MIN_GAIN = 1e-4;

/**
 * Levenberg–Marquardt with the damping rule of Nielsen (1999): moves `problem` to a local minimum of its cost.
 * Linearizes once per move, and increases the damping until a move lowers the cost.
 */
export function search(problem: Linearization, maxIterations: number): SearchEnd {
  let damping = INITIAL_DAMPING;
  let growth = 2;
  for (let iterations = 0; iterations < maxIterations; iterations++) {
    if (!problem.linearize()) return { reason: 'converged', iterations };
    for (;;) {
      if (damping >= MAX_DAMPING) return { reason: 'converged', iterations };
      const target = problem.damped(damping);
      if (isSame(problem.parameters, target)) return { reason: 'converged', iterations };
      const promised = problem.promised(target);
      const cost = problem.costAt(target);
      const gain = promised > 0 ? (problem.cost - cost) / promised : -1;
      if (Number.isFinite(cost) && gain > MIN_GAIN) {
        const isLast = problem.isLast(target, cost, promised);
        problem.moveTo(target, cost);
        damping *= max(1 / 3, 1 - cube(2 * min(gain, 1) - 1));
        growth = 2;
        if (isLast) return { reason: 'converged', iterations };
        break;
      }
      if (problem.isExhausted(cost, promised)) return { reason: 'converged', iterations };
      damping *= growth;
      growth *= 2;
    }
  }
  return { reason: 'max-iterations', iterations: maxIterations };
}

/** Whether no parameter moves by more than the resolution of doubles. */
function isSame(from: Float64Array, to: Float64Array): boolean {
  return from.every((x, j) => abs((to[j] ?? 0) - x) <= Number.EPSILON * abs(x));
}
