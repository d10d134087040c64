/** Four significant digits, with an exponent only for very large and very small numbers. */
export function significant(value: number, digits = 4): string {
  const rounded = Number(value.toPrecision(digits));
  const size = Math.abs(rounded);
  return size !== 0 && (size < 1e-6 || size >= 1e9) ? rounded.toExponential(digits - 1) : String(rounded);
}

/** With a unit prefix: 1.23 G, 456 k. */
export function scaled(value: number, digits = 3): string {
  const steps = [
    [1e15, 'P'],
    [1e12, 'T'],
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const;
  const [size, prefix] = steps.find(([from]) => Math.abs(value) >= from) ?? [1, ''];
  return `${significant(value / size, digits)}${prefix === '' ? '' : ` ${prefix}`}`;
}

export function count(value: number): string {
  return value.toLocaleString('en');
}

export function percent(share: number | null | undefined, digits = 1): string {
  return share === null || share === undefined ? '–' : `${(100 * share).toFixed(digits)} %`;
}

/** Two bounds, or a dash if they are missing. */
export function range(lower: number | null, upper: number | null, digits = 3): string {
  if (lower === null || upper === null) return '–';
  return `${significant(lower, digits)} – ${significant(upper, digits)}`;
}

export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${seconds < 10 ? significant(seconds, 2) : whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3600)} h`;
}

export function ago(timestamp: string | null, now = Date.now()): string {
  if (timestamp === null) return 'never';
  const seconds = Math.max(0, (now - Date.parse(timestamp)) / 1000);
  return seconds < 1.5 ? 'just now' : `${duration(Math.round(seconds))} ago`;
}

/** In the time zone of the reader. */
export function moment(timestamp: string): string {
  return new Date(timestamp).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' });
}

/** Median and 90th percentile of the difference between two visits of a shape. */
export function noiseFloorText({
  medianLogRatio,
  p90LogRatio,
}: {
  medianLogRatio: number;
  p90LogRatio: number;
}): string {
  return `${percent(Math.expm1(medianLogRatio))} (90 %: ${percent(Math.expm1(p90LogRatio))})`;
}
