/** Sizes of a tensor, all known. */
export type Shape = readonly number[];

export function product(sizes: Shape): number {
  return sizes.reduce((all, size) => all * size, 1);
}

/** NumPy's rule; null when a shape is unknown or they do not fit. */
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

/** Sizes joined along an axis, which may count from the end; null when one is unknown or they do not fit. */
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

/** Sizes as asked, one of which may be −1 for what is left of `from`; null when they do not fit. */
export function reshaped(from: Shape | null, wanted: readonly number[]): Shape | null {
  const known = product(wanted.filter((size) => size !== -1));
  const open = from === null ? NaN : product(from) / known;
  const shape = wanted.map((size) => (size === -1 ? open : size));
  return shape.every((size) => Number.isInteger(size) && size >= 0) ? shape : null;
}
