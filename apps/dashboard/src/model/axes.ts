import { type ConvSpec, macs, OPTIONAL_FIELDS } from '@alphaflops/conv';
import type { Model } from '../api.js';
import type { Point } from '../samples.js';

/** The axes of the paper's figures: `size` is height and width together, `kernel` is both sides of the kernel. */
export const AXES = ['size', 'cin', 'cout', 'kernel'] as const;
export type Axis = (typeof AXES)[number];
export const AXIS_NAMES: Readonly<Record<Axis, string>> = {
  size: 'height = width, pixels',
  cin: 'input channels',
  cout: 'output channels',
  kernel: 'kernel side, elements',
};

const DOMAIN_AXES = { size: 'height', cin: 'cin', cout: 'cout', kernel: 'kernel_h' } as const;
/** Minimum number of values for a series along an axis. */
const MIN_VALUES = 4;
const CURVE_POINTS = 32;
const OTHERS = ['batch', 'height', 'width', 'cin', 'cout', 'kernel_h', 'kernel_w', 'stride', 'groups', 'dtype', 'padding', 'layout', ...OPTIONAL_FIELDS] as const; // prettier-ignore

/** One shape, varied along one axis. */
export interface Series {
  readonly base: ConvSpec;
  /** Measured shapes that differ from the base only along the axis; empty if the data have no such series. */
  readonly measured: readonly Point[];
  /** Values for the model's curve. */
  readonly values: readonly number[];
}

export function along(spec: ConvSpec, axis: Axis, value: number): ConvSpec {
  if (axis === 'size') return { ...spec, height: value, width: value };
  if (axis === 'kernel') return { ...spec, kernel_h: value, kernel_w: value };
  return { ...spec, [axis]: value };
}

export function valueOf(spec: ConvSpec, axis: Axis): number {
  if (axis === 'size') return spec.height;
  return axis === 'kernel' ? spec.kernel_h : spec[axis];
}

/** The longest series of the data along an axis. Without a series, a typical shape for the model's curve. */
export function longestSeries(points: readonly Point[], axis: Axis, domain: Model['domain']): Series | null {
  const groups = new Map<string, { members: Point[]; values: Set<number> }>();
  for (const point of points) {
    if (!isVaried(point.spec, axis)) continue;
    const key = restOf(point.spec, axis);
    const group = groups.get(key) ?? { members: [], values: new Set() };
    group.members.push(point);
    group.values.add(valueOf(point.spec, axis));
    groups.set(key, group);
  }
  let best: { members: Point[]; values: Set<number> } | null = null;
  for (const group of groups.values()) {
    if (group.values.size > (best?.values.size ?? MIN_VALUES - 1)) best = group;
  }
  const first = best?.members[0];
  if (best !== null && first !== undefined) {
    const values = spread(Math.min(...best.values), Math.max(...best.values));
    return { base: first.spec, measured: best.members, values };
  }
  const base = typical(points.filter(({ spec }) => isVaried(spec, axis) && spec.groups === 1));
  const range = domain[DOMAIN_AXES[axis]];
  if (base === null || range === undefined) return null;
  return { base, measured: [], values: spread(range.min, range.max) };
}

function isVaried(spec: ConvSpec, axis: Axis): boolean {
  if (axis === 'size') return spec.height === spec.width;
  if (axis === 'kernel') return spec.kernel_h === spec.kernel_w && spec.padding === 'same';
  // Groups must divide the channels, so a grouped shape has no such axis.
  return spec.groups === 1;
}

function restOf(spec: ConvSpec, axis: Axis): string {
  const varied = {
    size: ['height', 'width'],
    kernel: ['kernel_h', 'kernel_w'],
    cin: ['cin'],
    cout: ['cout'],
  }[axis];
  return OTHERS.map((name) => (varied.includes(name) ? '' : spec[name])).join();
}

/** The shape with the median work. */
function typical(points: readonly Point[]): ConvSpec | null {
  const sorted = [...points].sort((a, b) => macs(a.spec) - macs(b.spec));
  return sorted[sorted.length >> 1]?.spec ?? null;
}

/** Whole numbers, evenly spread over the logarithm. */
export function spread(min: number, max: number): number[] {
  const steps = Array.from({ length: CURVE_POINTS }, (_, at) =>
    Math.round(min * (max / min) ** (at / (CURVE_POINTS - 1))),
  );
  return [...new Set(steps)];
}
