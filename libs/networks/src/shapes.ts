/** The sizes of a tensor. All of them are known. */
export type Shape = readonly number[];

export function product(sizes: Shape): number {
  return sizes.reduce((all, size) => all * size, 1);
}

/** Returns the broadcast shape by the rule of NumPy; null when a shape is unknown or the shapes do not fit. */
export function broadcast(shapes: readonly (Shape | null)[]): Shape | null {
  let result: Shape = [];
  for (const shape of shapes) {
    if (shape === null) return null;
    const rank = Math.max(shape.length, result.length);
    const at = (sizes: Shape, axis: number) => sizes[axis - rank + sizes.length] ?? 1;
    const axes = Array.from({ length: rank }, (_, axis) => [at(result, axis), at(shape, axis)] as const);
    if (axes.some(([a, b]) => a !== b && a !== 1 && b !== 1)) return null;
    result = axes.map(([a, b]) => (a === 1 ? b : a));
  }
  return result;
}

/**
 * Returns the shape after a concatenation along an axis. A negative axis counts from the end. Returns null when a
 * shape is unknown or the shapes do not fit.
 */
export function concatenated(shapes: readonly (Shape | null)[], axis: number): Shape | null {
  const [first] = shapes;
  if (!first) return null;
  const along = axis < 0 ? axis + first.length : axis;
  let joined = 0;
  for (const shape of shapes) {
    if (shape?.length !== first.length) return null;
    if (shape.some((size, at) => at !== along && size !== first[at])) return null;
    joined += shape[along] ?? NaN;
  }
  return Number.isNaN(joined) ? null : first.map((size, at) => (at === along ? joined : size));
}

/**
 * Returns the requested sizes. One of them may be −1, for the rest of `from`. Returns null when the sizes do not fit.
 */
export function reshaped(from: Shape | null, requested: readonly number[]): Shape | null {
  const known = product(requested.filter((size) => size !== -1));
  const open = from === null ? NaN : product(from) / known;
  const shape = requested.map((size) => (size === -1 ? open : size));
  return shape.every((size) => Number.isInteger(size) && size >= 0) ? shape : null;
}
