import { square } from '@alphaflops/elementary';

const { sqrt } = Math;

/** A coefficient enters if the slope of the cost along it is more than this share of its right-hand side. */
const TOLERANCE = 1e-9;
/** A column with a smaller pivot, relative to its diagonal element, counts as a combination of the others. */
const MIN_PIVOT = 1e-9;

/**
 * Non-negative least squares from normal equations, min xᵀ·G·x − 2·dᵀ·x with x ≥ 0, by active sets (Bro and de Jong
 * 1997, "A fast non-negativity-constrained least squares algorithm"). It is for many small problems of the same size:
 * nothing is allocated after the constructor. It squares the condition number of the problem. Columns that depend on
 * others stay at 0.
 */
export class NonNegativeNormal {
  private readonly factor: Float64Array;
  private readonly solution: Float64Array;
  private readonly passive: Int32Array;
  private readonly isPassive: Uint8Array;

  /** @param n number of coefficients */
  constructor(private readonly n: number) {
    this.factor = new Float64Array(n * n);
    this.solution = new Float64Array(n);
    this.passive = new Int32Array(n);
    this.isPassive = new Uint8Array(n);
  }

  /**
   * @param gram lower triangle by rows of width n: element (i, j ≤ i) at i·n + j
   * @param right d
   * @param x gets the coefficients; those that do not help are exactly 0
   */
  solve(gram: Float64Array, right: Float64Array, x: Float64Array): void {
    const { n, isPassive } = this;
    x.fill(0);
    isPassive.fill(0);
    for (let iteration = 0; iteration < 3 * n + 10; iteration++) {
      const entering = this.steepest(gram, right, x);
      if (entering < 0) return;
      isPassive[entering] = 1;
      if (!this.settle(gram, right, x)) {
        // The column depends on the others.
        isPassive[entering] = 2;
      }
    }
  }

  /**
   * Returns the minimum of x·G·x − 2·d·x without the bounds, a lower bound of the cost of every solution. Changes no
   * input.
   */
  bound(gram: Float64Array, right: Float64Array): number {
    this.isPassive.fill(1);
    const count = this.factorize(gram, right, false);
    let cost = 0;
    for (let k = 0; k < count; k++) cost -= square(this.solution[k] ?? 0);
    return cost;
  }

  private steepest(gram: Float64Array, right: Float64Array, x: Float64Array): number {
    const { n, isPassive } = this;
    let [best, bestSlope] = [-1, 0];
    for (let j = 0; j < n; j++) {
      if (isPassive[j] !== 0) continue;
      let slope = right[j] ?? 0;
      for (let k = 0; k < n; k++) {
        const xk = x[k] ?? 0;
        if (xk !== 0) slope -= (gram[j > k ? j * n + k : k * n + j] ?? 0) * xk;
      }
      // Relative to the scale of the column, so that the units have no influence.
      const length = sqrt(gram[j * n + j] ?? 0);
      if (!(length > 0) || slope <= TOLERANCE * (right[j] ?? 0)) continue;
      if (slope / length > bestSlope) [best, bestSlope] = [j, slope / length];
    }
    return best;
  }

  /**
   * Solves on the passive set, and drops coefficients that reach 0 until all are positive. Returns false if the
   * newest column is dependent.
   */
  private settle(gram: Float64Array, right: Float64Array, x: Float64Array): boolean {
    const { solution, passive, isPassive } = this;
    for (;;) {
      const count = this.factorize(gram, right, true);
      if (count < 0) return false;
      let share = 1;
      for (let k = 0; k < count; k++) {
        const [from, to] = [x[passive[k] ?? 0] ?? 0, solution[k] ?? 0];
        if (to <= 0 && from / (from - to) < share) share = from / (from - to);
        if (to <= 0 && from === 0) share = 0;
      }
      let dropped = false;
      for (let k = 0; k < count; k++) {
        const j = passive[k] ?? 0;
        const [from, to] = [x[j] ?? 0, solution[k] ?? 0];
        const reaches = to <= 0 && (from === 0 || from / (from - to) <= share);
        x[j] = reaches ? 0 : from + share * (to - from);
        if (reaches) {
          isPassive[j] = 0;
          dropped = true;
        }
      }
      if (!dropped) return true;
    }
  }

  /**
   * Computes the Cholesky factor of the passive columns and the solution on them, or only L⁻¹·d without back
   * substitution. Returns the number of columns, or −1 if a column depends on the columns before it. Without back
   * substitution, dependent columns are omitted.
   */
  private factorize(gram: Float64Array, right: Float64Array, back: boolean): number {
    const { n, factor, solution, passive, isPassive } = this;
    let count = 0;
    for (let j = 0; j < n; j++) {
      if (isPassive[j] !== 1) continue;
      passive[count] = j;
      const row = count * n;
      for (let k = 0; k < count; k++) {
        let rest = gram[j * n + (passive[k] ?? 0)] ?? 0;
        for (let m = 0; m < k; m++) rest -= (factor[row + m] ?? 0) * (factor[k * n + m] ?? 0);
        factor[row + k] = rest / (factor[k * n + k] ?? 1);
      }
      const diagonal = gram[j * n + j] ?? 0;
      let rest = diagonal;
      let forward = right[j] ?? 0;
      for (let m = 0; m < count; m++) {
        rest -= square(factor[row + m] ?? 0);
        forward -= (factor[row + m] ?? 0) * (solution[m] ?? 0);
      }
      if (!(rest > MIN_PIVOT * diagonal)) {
        if (back) return -1;
        continue;
      }
      factor[row + count] = sqrt(rest);
      solution[count] = forward / sqrt(rest);
      count += 1;
    }
    if (!back) return count;
    for (let k = count - 1; k >= 0; k--) {
      let rest = solution[k] ?? 0;
      for (let m = k + 1; m < count; m++) rest -= (factor[m * n + k] ?? 0) * (solution[m] ?? 0);
      solution[k] = rest / (factor[k * n + k] ?? 1);
    }
    return count;
  }
}
