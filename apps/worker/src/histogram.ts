/** The number of values in each of a few equal parts of their range. */
export interface Bin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

const MAX_BINS = 12;

/** The number of bins is the square root of the number of values, at most 12, and 1 if all are equal. Throws for no values. */
export function binsOf(values: readonly number[]): Bin[] {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  if (values.length === 0) throw new RangeError('there are no values');
  const bins = least === most ? 1 : Math.min(MAX_BINS, Math.ceil(Math.sqrt(values.length)));
  const width = (most - least) / bins;
  const counts = Array.from({ length: bins }, () => 0);
  for (const value of values) {
    const bin = width === 0 ? 0 : Math.min(bins - 1, Math.floor((value - least) / width));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts.map((count, bin) => ({
    from: least + bin * width,
    to: bin === bins - 1 ? most : least + (bin + 1) * width,
    count,
  }));
}

/** One line for each bin, with a bar of at most `barWidth` characters; the fullest has all of them. */
export function histogram(
  values: readonly number[],
  show: (value: number) => string,
  barWidth = 32,
): string[] {
  const bins = binsOf(values);
  const fullest = Math.max(...bins.map(({ count }) => count));
  const ranges = bins.map(({ from, to }) => [show(from), show(to)] as const);
  const widths = [0, 1].map((side) => Math.max(...ranges.map((range) => (range[side] ?? '').length)));
  return bins.map(({ count }, at) => {
    const [from = '', to = ''] = ranges[at] ?? [];
    const bar = count === 0 ? '' : '█'.repeat(Math.max(1, Math.round((barWidth * count) / fullest)));
    return `${from.padStart(widths[0] ?? 0)} – ${to.padStart(widths[1] ?? 0)}  ${bar} ${count}`.trimEnd();
  });
}
