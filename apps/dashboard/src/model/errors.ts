import { specKey } from '@alphaflops/conv';
import type { Model, Prediction } from '../api.js';
import type { Point } from '../samples.js';

/** A sample with its prediction. */
export interface Judged {
  readonly point: Point;
  readonly predictedMs: number;
  readonly isInside: boolean | null;
}

export interface ErrorRow {
  readonly name: string;
  readonly n: number;
  readonly medianApe: number;
  /** Share of the samples inside their interval; null without one. */
  readonly coverage: number | null;
}

/** Number of samples whose errors are shown: enough for shares, and few enough for one request. */
const JUDGED = 2_000;
/** With fewer held-out predictions, errors of single kernels have no meaning. */
const MIN_HELD_OUT = 30;
const MAX_KERNELS = 8;

/**
 * Samples that judge a model: those for which it keeps a held-out prediction, if it keeps enough. Otherwise all
 * samples, most of which were used in the fit.
 */
export function samplesToJudge(
  model: Model,
  points: readonly Point[],
): { points: readonly Point[]; heldOut: ReadonlyMap<string, number> | null } {
  const heldOut = new Map(
    (model.heldOut?.shapes ?? []).map(([shape, predictedMs]) => [String(shape), Number(predictedMs)]),
  );
  const known = heldOut.size === 0 ? [] : points.filter(({ spec }) => heldOut.has(specKey(spec)));
  if (known.length >= MIN_HELD_OUT) return { points: evenly(known, JUDGED), heldOut };
  return { points: evenly(points, JUDGED), heldOut: null };
}

export function judged(
  points: readonly Point[],
  predictions: readonly Prediction[],
  heldOut: ReadonlyMap<string, number> | null,
): Judged[] {
  return points.map((point, at) => {
    const { predictedMs = NaN, lowerMs = null, upperMs = null } = predictions[at] ?? {};
    return {
      point,
      predictedMs: heldOut?.get(specKey(point.spec)) ?? predictedMs,
      isInside:
        lowerMs === null || upperMs === null ? null : lowerMs <= point.timeMs && point.timeMs <= upperMs,
    };
  });
}

export function byKernel(all: readonly Judged[]): ErrorRow[] {
  const rows = grouped(all, ({ point: { spec } }) => `${spec.kernel_h}×${spec.kernel_w}`);
  return rows.sort((a, b) => b.n - a.n).slice(0, MAX_KERNELS);
}

/** By decade of the measured time, fastest first. */
export function byDecade(all: readonly Judged[]): ErrorRow[] {
  return grouped(all, ({ point }) => String(Math.floor(Math.log10(point.timeMs))))
    .sort((a, b) => Number(a.name) - Number(b.name))
    .map((row) => ({ ...row, name: `${decade(Number(row.name))}–${decade(Number(row.name) + 1)}` }));
}

function grouped(all: readonly Judged[], nameOf: (one: Judged) => string): ErrorRow[] {
  const groups = new Map<string, Judged[]>();
  for (const one of all) {
    const name = nameOf(one);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [one]);
    else group.push(one);
  }
  return [...groups].map(([name, members]) => {
    const known = members.filter(({ isInside }) => isInside !== null);
    return {
      name,
      n: members.length,
      medianApe: median(
        members.map(({ predictedMs, point: { timeMs } }) => Math.abs(predictedMs / timeMs - 1)),
      ),
      coverage: known.length === 0 ? null : known.filter(({ isInside }) => isInside).length / known.length,
    };
  });
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? NaN) + high) / 2;
}

function decade(exponent: number): string {
  return String(Number(`1e${exponent}`));
}

function evenly<T>(items: readonly T[], count: number): readonly T[] {
  if (items.length <= count) return items;
  return Array.from({ length: count }, (_, at) => items[Math.floor((at * items.length) / count)] as T);
}
