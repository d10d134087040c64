import { hypot, square } from '@alphaflops/elementary';

/**
 * Small dense matrices in column-major order: element (i, j) of a matrix with `rows` rows is `a[j * rows + i]`, so a
 * column is contiguous.
 */

/** Euclidean norm of `count` elements from `offset`. */
export function norm(a: Float64Array, offset = 0, count = a.length - offset): number {
  let sum = 0;
  for (let i = offset; i < offset + count; i++) sum += square(a[i] ?? 0);
  return Math.sqrt(sum);
}

/** Dot product of `count` elements of `a` from `offsetA` and `count` elements of `b` from `offsetB`. */
export function dot(
  a: Float64Array,
  offsetA: number,
  b: Float64Array,
  offsetB: number,
  count: number,
): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += (a[offsetA + i] ?? 0) * (b[offsetB + i] ?? 0);
  return sum;
}

/**
 * Computes the Householder QR factorization of the rows×columns matrix `a` (rows ≥ columns) in place, and applies it
 * to `b`. Afterwards, the upper triangle of `a` is R and the first `columns` elements of `b` are Qᵀb.
 */
export function qrInPlace(a: Float64Array, rows: number, columns: number, b: Float64Array): void {
  for (let k = 0; k < columns; k++) {
    const column = k * rows;
    const length = norm(a, column + k, rows - k);
    if (length === 0) continue;
    const head = a[column + k] ?? 0;
    const diagonal = head > 0 ? -length : length;
    // Householder vector in place: v = x − diagonal·e₁, H = I − v·vᵀ / (−diagonal·v₁)
    a[column + k] = head - diagonal;
    const scale = -diagonal * (head - diagonal);
    for (let j = k + 1; j < columns; j++) reflect(a, column + k, scale, a, j * rows + k, rows - k);
    reflect(a, column + k, scale, b, k, rows - k);
    a[column + k] = diagonal;
  }
}

function reflect(
  v: Float64Array,
  offsetV: number,
  scale: number,
  x: Float64Array,
  offsetX: number,
  count: number,
): void {
  const factor = dot(v, offsetV, x, offsetX, count) / scale;
  for (let i = 0; i < count; i++) x[offsetX + i] = (x[offsetX + i] ?? 0) - factor * (v[offsetV + i] ?? 0);
}

/**
 * Solves R·x = b by back substitution, R the upper triangle of `r` (leading dimension `rows`). A zero on the diagonal
 * gives a zero component.
 */
export function solveUpper(r: Float64Array, rows: number, columns: number, b: Float64Array): Float64Array {
  const x = new Float64Array(columns);
  for (let i = columns - 1; i >= 0; i--) {
    let sum = b[i] ?? 0;
    for (let j = i + 1; j < columns; j++) sum -= (r[j * rows + i] ?? 0) * (x[j] ?? 0);
    const diagonal = r[i * rows + i] ?? 0;
    x[i] = diagonal === 0 ? 0 : sum / diagonal;
  }
  return x;
}

/** Copies the upper triangle of a rows×columns QR result into its own columns×columns matrix. */
export function upperTriangle(a: Float64Array, rows: number, columns: number): Float64Array {
  const r = new Float64Array(columns * columns);
  for (let j = 0; j < columns; j++) for (let i = 0; i <= j; i++) r[j * columns + i] = a[j * rows + i] ?? 0;
  return r;
}

/** Singular values (not sorted) and right singular vectors (columns of v) of a square matrix. */
export interface SingularValues {
  readonly values: Float64Array;
  readonly v: Float64Array;
}

const MAX_SWEEPS = 60;

/** One-sided Jacobi SVD of the n×n matrix `a`. Small singular values are accurate too. `a` is not changed. */
export function singularValues(a: Float64Array, n: number): SingularValues {
  const u = Float64Array.from(a);
  const v = new Float64Array(n * n);
  for (let i = 0; i < n; i++) v[i * n + i] = 1;
  for (let sweep = 0, rotated = true; rotated && sweep < MAX_SWEEPS; sweep++) {
    rotated = false;
    for (let p = 0; p < n - 1; p++) {
      for (let q = p + 1; q < n; q++) {
        const alpha = dot(u, p * n, u, p * n, n);
        const beta = dot(u, q * n, u, q * n, n);
        const gamma = dot(u, p * n, u, q * n, n);
        if (gamma === 0 || Math.abs(gamma) <= Number.EPSILON * Math.sqrt(alpha * beta)) continue;
        rotated = true;
        const zeta = (beta - alpha) / (2 * gamma);
        const t = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + hypot(1, zeta));
        const cosine = 1 / hypot(1, t);
        rotate(u, p * n, q * n, n, cosine, cosine * t);
        rotate(v, p * n, q * n, n, cosine, cosine * t);
      }
    }
  }
  return { values: Float64Array.from({ length: n }, (_, k) => norm(u, k * n, n)), v };
}

function rotate(a: Float64Array, p: number, q: number, n: number, cosine: number, sine: number): void {
  for (let i = 0; i < n; i++) {
    const x = a[p + i] ?? 0;
    const y = a[q + i] ?? 0;
    a[p + i] = cosine * x - sine * y;
    a[q + i] = sine * x + cosine * y;
  }
}
