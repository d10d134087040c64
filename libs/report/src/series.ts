import type { Model } from '@alphaflops/contracts';
import { type ConvSpec, macs } from '@alphaflops/conv';
import { pow } from '@alphaflops/elementary';
import { type ResponseAxis, typicalShape as keptShape } from '@alphaflops/models';
import type { Measured } from './curves.js';
import { grouped } from './grouped.js';

/** One shape that varies along one axis. */
export interface Varied {
  readonly base: ConvSpec;
  /** The values for the lines, ascending. */
  readonly specs: readonly ConvSpec[];
  /** Samples that differ from the base only along the axis; empty if the data contain no such series. */
  readonly measured: readonly Measured[];
}

/** Minimum number of values on an axis for a series. */
const MIN_VALUES = 4;
const LINE_POINTS = 48;
const VARIES = { size: ['height', 'width'], kernel: ['kernel_h', 'kernel_w'], cin: ['cin'], cout: ['cout'], batch: ['batch'], groups: ['groups'] } as const; // prettier-ignore

export const valueOf = (spec: ConvSpec, axis: ResponseAxis): number => spec[VARIES[axis][0]];

/**
 * Returns the longest series of samples along an axis. Without a series, varies the typical shape over the calibrated
 * domain.
 */
export function longestSeries(
  measured: readonly Measured[],
  axis: ResponseAxis,
  typical: ConvSpec,
  domain: Model['domain'],
): Varied | null {
  const series =
    [...grouped(measured.filter(({ spec }) => isVaried(spec, axis)), ({ spec }) => restOf(spec, axis)).values()] // prettier-ignore
      .map((rows) => ({ rows, values: new Set(rows.map(({ spec }) => valueOf(spec, axis))).size }))
      .reduce((a, b) => (b.values > a.values ? b : a), { rows: [] as Measured[], values: MIN_VALUES - 1 });
  const [first] = series.rows;
  const values = series.rows.map(({ spec }) => valueOf(spec, axis));
  const range = first ? { min: Math.min(...values), max: Math.max(...values) } : domain[VARIES[axis][0]];
  const base = first?.spec ?? along(typical, axis, valueOf(typical, axis));
  if (range === undefined || range.max <= range.min || !isVaried(base, axis)) return null;
  const specs = spread(range.min, range.max).map((value) => along(base, axis, value));
  return { base, specs, measured: series.rows };
}

/** Returns the typical shape of the model. If it has none, returns the sample with the median work. */
export function typicalShape(model: Model, measured: readonly Measured[]): ConvSpec | null {
  const sorted = measured.filter(({ spec }) => spec.groups === 1).sort((a, b) => macs(a.spec) - macs(b.spec));
  const { spec } = sorted[sorted.length >> 1] ?? { spec: null };
  return keptShape(model) ?? spec;
}

function along(spec: ConvSpec, axis: ResponseAxis, value: number): ConvSpec {
  return { ...spec, ...Object.fromEntries(VARIES[axis].map((name) => [name, value])) };
}

function isVaried(spec: ConvSpec, axis: ResponseAxis): boolean {
  if (axis === 'size') return spec.height === spec.width;
  if (axis === 'kernel') return spec.kernel_h === spec.kernel_w && spec.padding === 'same';
  // Groups must divide the channels, so a grouped shape cannot vary along this axis.
  return axis === 'batch' || spec.groups === 1;
}

function restOf(spec: ConvSpec, axis: ResponseAxis): string {
  const varied: readonly string[] = VARIES[axis];
  return Object.entries(spec)
    .filter(([name]) => !varied.includes(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .join(';');
}

/** Returns integers with equal distances on a logarithmic scale. */
function spread(min: number, max: number): number[] {
  const steps = Array.from({ length: LINE_POINTS }, (_, at) =>
    Math.round(min * pow(max / min, at / (LINE_POINTS - 1))),
  );
  return [...new Set(steps)];
}
