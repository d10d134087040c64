/** Values of one feature, divided into at most 255 bins: bin b holds values in (edges[b − 1], edges[b]]. */
export interface Binned {
  readonly edges: Float64Array;
  readonly bins: Uint8Array;
}

const MAX_BINS = 255;
/** Significant digits of an edge. Documents store the edges with these digits, and the trees are grown on the stored values. */
const DIGITS = 7;

/** Edges halfway between distinct values, or between quantiles when there are too many. */
export function binned(values: Float64Array): Binned {
  const sorted = Float64Array.from(values).sort();
  const distinct = sorted.filter((value, i) => i === 0 || value !== sorted[i - 1]);
  const edges: number[] = [];
  const push = (low: number, high: number): void => {
    const edge = Number(((low + high) / 2).toPrecision(DIGITS));
    if (edge >= low && edge < high && edge > (edges.at(-1) ?? -Infinity)) edges.push(edge);
  };
  if (distinct.length <= MAX_BINS) {
    for (let i = 1; i < distinct.length; i++) push(distinct[i - 1] ?? 0, distinct[i] ?? 0);
  } else {
    for (let b = 1; b < MAX_BINS; b++) {
      const at = Math.floor((b * sorted.length) / MAX_BINS);
      const low = sorted[at - 1] ?? 0;
      let next = at;
      while (next < sorted.length && sorted[next] === low) next += 1;
      if (next < sorted.length) push(low, sorted[next] ?? 0);
    }
  }
  const cut = Float64Array.from(edges);
  return { edges: cut, bins: Uint8Array.from(values, (value) => binOf(cut, value)) };
}

/** Number of edges below the value. */
export function binOf(edges: Float64Array, value: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value > (edges[middle] ?? 0)) low = middle + 1;
    else high = middle;
  }
  return low;
}
