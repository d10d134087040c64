import type { Model } from '@alphaflops/contracts';
import {
  dilationH,
  dilationW,
  macs,
  outputSize,
  passOf,
  strideH,
  strideW,
  type ConvSpec,
} from '@alphaflops/conv';
import { log2 } from '@alphaflops/elementary';
import { furthestFirst, nearest } from './neighbours.js';
import type { CostSample } from './sample.js';

const { max, min } = Math;

const AXES = ['batch', 'height', 'width', 'cin', 'cout', 'kernel_h', 'kernel_w', 'stride', 'groups'] as const;
const LEVELS = ['dtype', 'padding', 'layout'] as const;

/** Further ranges. A document has them only if they are not 1 to 1; an absent range is 1 to 1. */
const DILATIONS = { dilation_h: dilationH, dilation_w: dilationW } as const;
/** Passes of models from versions without other passes. */
const FORWARD_ONLY: readonly string[] = ['forward'];

type Domain = Pick<Model, 'domain' | 'domainLevels' | 'neighbours'>;

/** Largest number of stored shapes, from which the distance of other shapes is computed. */
const MAX_NEIGHBOURS = 200;
/** Share of the samples' shapes whose distance to another one is below the limit. */
const USUAL = 0.995;
/** Number of shapes whose distances to all others determine the limit. */
const PROBED = 1000;

/** Ranges, levels and typical shapes of the samples: the domain in which the model is calibrated. */
export function domainOf(samples: readonly CostSample[]): Domain {
  const domain: Record<string, { min: number; max: number }> = {};
  const widen = (axis: string, value: number): void => {
    const range = (domain[axis] ??= { min: value, max: value });
    range.min = min(range.min, value);
    range.max = max(range.max, value);
  };
  for (const { spec } of samples) {
    for (const axis of AXES) widen(axis, spec[axis]);
    widen('stride', strideW(spec));
    for (const [axis, of] of Object.entries(DILATIONS)) {
      if (axis in domain || of(spec) !== 1) widen(axis, of(spec));
    }
    // a corner of the ranges may have far more work than any sample
    widen('macs', macs(spec));
  }
  for (const [axis, of] of Object.entries(DILATIONS)) {
    const range = domain[axis];
    if (range !== undefined) range.min = samples.reduce((least, { spec }) => min(least, of(spec)), range.min);
  }
  const levels = (of: (spec: ConvSpec) => string) => [...new Set(samples.map(({ spec }) => of(spec)))].sort();
  const passes = levels(passOf);
  const domainLevels = {
    ...Object.fromEntries(LEVELS.map((axis) => [axis, levels((spec) => levelOf(spec, axis))])),
    ...(passes.join() !== FORWARD_ONLY.join() && { pass: passes }),
  };
  return { domain, domainLevels, neighbours: neighboursOf(samples) };
}

/** Explicit padding with the output size of `same` costs as much as `same`: models describe padding by its effect on sizes. */
function levelOf(spec: ConvSpec, axis: (typeof LEVELS)[number]): string {
  if (axis !== 'padding' || spec.padding !== 'explicit') return spec[axis];
  const [own, same] = [outputSize(spec), outputSize({ ...spec, padding: 'same' })];
  return own.height === same.height && own.width === same.width ? 'same' : 'explicit';
}

/**
 * Shapes spread over the samples, and the distance from which on a shape is in a gap between them. The distance includes how
 * far samples are from the stored shapes, and how far most samples are from each other. It is in doublings (Euclidean over
 * the logarithms of the axes).
 */
function neighboursOf(samples: readonly CostSample[]): NonNullable<Model['neighbours']> {
  const specs = samples.filter(({ key }, i) => key !== samples[i - 1]?.key).map(({ spec }) => spec);
  const points = Float64Array.from(specs.flatMap((spec) => AXES.map((axis) => log2(spec[axis]))));
  const { kept, radius } = furthestFirst(points, AXES.length, MAX_NEIGHBOURS);
  const every = Math.ceil(specs.length / PROBED);
  const gaps: number[] = [];
  for (let i = 0; i < specs.length; i += every) {
    gaps.push(nearest(points, AXES.length, points.subarray(i * AXES.length, (i + 1) * AXES.length), i));
  }
  gaps.sort((a, b) => a - b);
  const gap = gaps[Math.ceil(USUAL * gaps.length) - 1] ?? 0;
  return {
    doublings: specs.length > 1 ? Number((radius + gap).toPrecision(6)) : 0,
    shapes: kept.map((i) => AXES.map((axis) => specs[i]?.[axis] ?? 1)),
  };
}

/**
 * Gives how far a spec with these multiply-adds is outside the domain. Null: it is inside. Otherwise the distance in doublings:
 * 0 when only a level is new, and Infinity when its pass is new, because the costs of two passes are hardly related.
 */
export type DomainCheck = (spec: ConvSpec, macs: number) => number | null;

/**
 * Prepares the check of a model's domain. The doublings are the distance beyond the range of the worst axis, or beyond the
 * usual distance to the nearest typical shape.
 */
export function compileDomain({ domain, domainLevels, neighbours }: Domain): DomainCheck {
  const levels = LEVELS.map((axis) => ({ axis, known: domainLevels[axis] }));
  const ranges = [...AXES.keys()].map((a) => domain[AXES[a] ?? '']);
  const strides = domain['stride'];
  const dilations = Object.entries(DILATIONS).map(([axis, of]) => ({
    of,
    range: domain[axis] ?? { min: 1, max: 1 },
  }));
  const passes = domainLevels['pass'] ?? FORWARD_ONLY;
  const work = domain['macs'];
  const usual = neighbours?.doublings ?? Infinity;
  const points = Float64Array.from(neighbours?.shapes.flat() ?? [], (value) => log2(value));
  const at = new Float64Array(AXES.length);
  const beyond = (value: number, range: { min: number; max: number } | undefined): number =>
    range === undefined || (value >= range.min && value <= range.max)
      ? 0
      : log2(max(value / range.max, range.min / value));
  return (spec, ofSpec) => {
    if (!passes.includes(passOf(spec))) return Infinity;
    let outside = beyond(ofSpec, work);
    for (let a = 0; a < AXES.length; a++) {
      const value = spec[AXES[a] ?? 'batch'];
      outside = max(outside, beyond(value, ranges[a]));
      at[a] = log2(value);
    }
    outside = max(outside, beyond(strideH(spec), strides), beyond(strideW(spec), strides));
    for (const { of, range } of dilations) outside = max(outside, beyond(of(spec), range));
    if (usual < Infinity) outside = max(outside, nearest(points, AXES.length, at, -1, usual) - usual);
    for (const { axis, known } of levels) if (known && !known.includes(levelOf(spec, axis))) return outside;
    return outside > 0 ? outside : null;
  };
}
