import { CONV_SPEC_DEFAULTS, OPTIONAL_FIELDS, type ConvSpec } from '@alphaflops/conv';

/** What the canonical layout calls the columns that every file needs, time aside. */
export const REQUIRED_AXES = ['height', 'width', 'cin', 'cout', 'kernel_h', 'kernel_w'] as const;

/** Read under these names in every layout when present, else their defaults. */
export const OPTIONAL_AXES: readonly (keyof ConvSpec)[] = [
  ...(Object.keys(CONV_SPEC_DEFAULTS) as (keyof typeof CONV_SPEC_DEFAULTS)[]),
  ...OPTIONAL_FIELDS,
];

/** For each axis the column that holds it, or the constant that it is. */
export type AxisSources = Readonly<Partial<Record<keyof ConvSpec, string | number>>>;

/** One arrangement of columns that is understood. */
export interface Layout {
  readonly name: string;
  readonly axes: AxisSources & Readonly<Record<(typeof REQUIRED_AXES)[number], string>>;
  readonly time: { readonly column: string; readonly unitMs: number };
  /** Rows whose cell in this column has this value mean something else. */
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

/** The columns of a layout that a file has to have. */
export function requiredColumns(layout: Layout, withTime: boolean): string[] {
  const axes = REQUIRED_AXES.map((axis) => layout.axes[axis]);
  return [...new Set([...axes, ...(withTime ? [layout.time.column] : [])])];
}

/** Every column that a file of this layout may have and that is read. */
export function knownColumns(layout: Layout, further: readonly string[]): string[] {
  const special = layout.special === undefined ? [] : [layout.special.column];
  return [...new Set([...requiredColumns(layout, true), ...OPTIONAL_AXES, ...special, ...further])];
}
