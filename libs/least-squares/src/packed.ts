const { abs, max, sqrt } = Math;

/**
 * Symmetric n×n matrices as their lower triangle by rows: element (i, j ≤ i) is `a[i·(i + 1)/2 + j]`, n·(n + 1)/2 elements
 * in all.
 *
 * @param n rows, and columns
 * @returns elements of the packed matrix
 */
export const packedLength = (n: number): number => (n * (n + 1)) / 2;

/** Returns the index of element (j, j) of a packed matrix. */
export const packedDiagonal = (j: number): number => (j * (j + 3)) / 2;

/**
 * Solves A·x = b in place by Cholesky factors. `matrix` is the packed, positive definite A and is overwritten. `x` is
 * b on input and the solution on output. A pivot that becomes negative by rounding counts as the smallest positive
 * number.
 *
 * @param matrix packed n×n, n being the length of `x`
 */
export function solvePacked(matrix: Float64Array, x: Float64Array): void {
  const n = x.length;
  for (let i = 0, row = 0; i < n; row += ++i) {
    for (let j = 0, other = 0; j <= i; other += ++j) {
      let sum = matrix[row + j] ?? 0;
      for (let k = 0; k < j; k++) sum -= (matrix[row + k] ?? 0) * (matrix[other + k] ?? 0);
      matrix[row + j] = i === j ? sqrt(max(sum, Number.MIN_VALUE)) : sum / (matrix[other + j] ?? 1);
    }
    let sum = x[i] ?? 0;
    for (let k = 0; k < i; k++) sum -= (matrix[row + k] ?? 0) * (x[k] ?? 0);
    x[i] = sum / (matrix[row + i] ?? 1);
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = x[i] ?? 0;
    for (let k = i + 1; k < n; k++) sum -= (matrix[packedLength(k) + i] ?? 0) * (x[k] ?? 0);
    x[i] = sum / (matrix[packedDiagonal(i)] ?? 1);
  }
}

/**
 * The inverse of a packed, positive definite n×n matrix, as the square roots of its diagonal and as correlations.
 *
 * @param matrix packed, n×n; it is not changed
 * @returns `roots`: √(A⁻¹)ⱼⱼ, n of them; `correlation`: n×n, 1 on the diagonal
 */
export function inversePacked(
  matrix: Float64Array,
  n: number,
): { readonly roots: Float64Array; readonly correlation: number[][] } {
  const columns = Array.from({ length: n }, (_, j) => {
    const x = new Float64Array(n);
    x[j] = 1;
    solvePacked(Float64Array.from(matrix), x);
    return x;
  });
  const roots = Float64Array.from(columns, (column, j) => sqrt(abs(column[j] ?? 0)));
  const correlation = columns.map((column, i) =>
    Array.from(column, (value, j) => (i === j ? 1 : value / ((roots[i] ?? 1) * (roots[j] ?? 1)))),
  );
  return { roots, correlation };
}
