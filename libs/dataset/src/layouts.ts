import { CONV_SPEC_DEFAULTS, OPTIONAL_FIELDS, type ConvSpec } from '@alphaflops/conv';

/** Names in the canonical layout of the columns that every file needs, except the time. */
export const REQUIRED_AXES = ['height', 'width', 'cin', 'cout', 'kernel_h', 'kernel_w'] as const;

/** Optional columns, with the same names in every layout. An absent column has its default values. */
export const OPTIONAL_AXES: readonly (keyof ConvSpec)[] = [
  ...(Object.keys(CONV_SPEC_DEFAULTS) as (keyof typeof CONV_SPEC_DEFAULTS)[]),
  ...OPTIONAL_FIELDS,
];

/** For each axis, its column or its constant value. */
export type AxisSources = Readonly<Partial<Record<keyof ConvSpec, string | number>>>;

/** One supported arrangement of columns. */
export interface Layout {
  readonly name: string;
  readonly axes: AxisSources & Readonly<Record<(typeof REQUIRED_AXES)[number], string>>;
  readonly time: { readonly column: string; readonly unitMs: number };
  /** Rows with this value in this column have other axes. */
  readonly special?: { readonly column: string; readonly value: string; readonly axes: AxisSources };
}

const canonical: Layout = {
  name: 'canonical',
  axes: {
    height: 'height',
    width: 'width',
    cin: 'cin',
    cout: 'cout',
    kernel_h: 'kernel_h',
    kernel_w: 'kernel_w',
  },
  time: { column: 'time_ms', unitMs: 1 },
};

const AUTHORS_AXES = { height: 'H', width: 'W', cin: 'Cin', cout: 'Cout', kernel_h: 'K1', kernel_w: 'K2' };

/** Data set of Asperti, Evangelista and Marzolla (2021), github.com/asperti/alpha_flops_dataset. */
const authors: Layout = {
  name: 'authors',
  axes: AUTHORS_AXES,
  time: { column: 'T_ms', unitMs: 1 },
  // These rows are dense layers, and H is their batch size.
  special: { column: 'series', value: 'increasing_batch', axes: { ...AUTHORS_AXES, batch: 'H', height: 1 } },
};

/** Data of the 2026 replication (arXiv 2608.14550): square kernels, time in seconds. */
const replication: Layout = {
  name: 'replication',
  axes: { height: 'H', width: 'W', cin: 'Cin', cout: 'Cout', kernel_h: 'K', kernel_w: 'K' },
  time: { column: 'avg_time', unitMs: 1000 },
};

export const LAYOUTS_OF_FILES = [canonical, authors, replication] as const;

/** The columns of a layout that a file must have. */
export function requiredColumns(layout: Layout, withTime: boolean): string[] {
  const axes = REQUIRED_AXES.map((axis) => layout.axes[axis]);
  return [...new Set([...axes, ...(withTime ? [layout.time.column] : [])])];
}

/** Every column of this layout that the reader can use. */
export function knownColumns(layout: Layout, further: readonly string[]): string[] {
  const special = layout.special === undefined ? [] : [layout.special.column];
  return [...new Set([...requiredColumns(layout, true), ...OPTIONAL_AXES, ...special, ...further])];
}
