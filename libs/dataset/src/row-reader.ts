import {
  type ColumnName,
  ConvSpecSchema,
  implausibleTime,
  MAX_AXIS,
  MAX_KERNEL_NAME,
  rangeProblem,
  SAMPLE_COLUMNS,
} from '@alphaflops/contracts';
import {
  DTYPES,
  LAYOUTS,
  OPTIONAL_FIELDS,
  PAD_FIELDS,
  PADDINGS,
  PASSES,
  type ConvSpec,
} from '@alphaflops/conv';
import { shown, type DatasetProblem } from './dataset-error.js';
import { OPTIONAL_AXES, type AxisSources, type Layout } from './layouts.js';

/** Columns, other than the canonical ones, that a sample keeps if the file has them, in the order of such files. */
export const EXTRA_COLUMNS = [
  'time_min_ms',
  'time_q25_ms',
  'time_q75_ms',
  'repetitions',
  'inner_iterations',
  'eager_ms',
  'sm_clock_mhz',
  'temperature_c',
  'power_w',
  'energy_mj',
  'energy_meter',
  'kernel',
  'workspace_bytes',
] as const satisfies readonly ColumnName[];
export type ExtraColumn = (typeof EXTRA_COLUMNS)[number];
type TextColumn = 'energy_meter' | 'kernel';
export type Extras = Partial<Record<Exclude<ExtraColumn, TextColumn>, number> & Record<TextColumn, string>>;

/** The values of one row. `timeMs` is NaN only when the caller did not request the time. */
export interface RowValues {
  readonly spec: ConvSpec;
  readonly timeMs: number;
  readonly extras: Extras;
}

export type ReadRow = { ok: true; values: RowValues } | { ok: false; problems: DatasetProblem[] };

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** Texts with which programs write an unknown value. */
const UNKNOWN = new Set(['', 'nan', 'null', 'none', 'na']);
const WORDS: Partial<Record<keyof ConvSpec, readonly string[]>> = {
  dtype: DTYPES,
  padding: PADDINGS,
  layout: LAYOUTS,
  pass: PASSES,
};
/** The expected contents of text columns. */
const TEXTS: Readonly<Record<TextColumn, string>> = {
  energy_meter: 'a name of at most 80 characters',
  kernel: `the name of a kernel: at most ${MAX_KERNEL_NAME} printable ASCII characters, no blanks`,
};
const isText = (column: ExtraColumn): column is TextColumn => column in TEXTS;
/** Columns whose cells may be empty. */
const MAY_LACK: ReadonlySet<string> = new Set(OPTIONAL_FIELDS);

type AxisSource = readonly [axis: keyof ConvSpec, source: string | number];

/** The decimal number in a cell, or NaN. */
export function decimal(cell: string): number {
  return DECIMAL.test(cell) ? Number(cell) : Number.NaN;
}

/** Reads the rows of one file with a known header and layout. */
export class RowReader {
  private readonly position: ReadonlyMap<string, number>;
  private readonly extras: ReadonlySet<ExtraColumn>;
  private readonly sources: readonly AxisSource[];
  private readonly specialSources: readonly AxisSource[];

  constructor(
    private readonly layout: Layout,
    header: readonly string[],
    private readonly withTime: boolean,
  ) {
    this.position = new Map(header.map((column, index) => [column, index]));
    // Without a time, a row has only what distinguishes kernels, and no measured values.
    const extraColumns = withTime ? EXTRA_COLUMNS : (['kernel', 'workspace_bytes'] as const);
    this.extras = new Set(extraColumns.filter((column) => this.position.has(column)));
    const present = OPTIONAL_AXES.filter((axis) => this.position.has(axis));
    const optional: AxisSources = Object.fromEntries(present.map((axis) => [axis, axis]));
    this.sources = Object.entries({ ...optional, ...layout.axes }) as AxisSource[];
    this.specialSources = Object.entries({ ...optional, ...layout.special?.axes }) as AxisSource[];
  }

  read(cells: readonly string[], line: number): ReadRow {
    const problems: DatasetProblem[] = [];
    const cell = (column: string) => cells[this.position.get(column) ?? -1]?.trim() ?? '';
    const refuse = (column: string | null, message: string) => {
      // One column can contain two axes.
      const isReported = problems.some((problem) => problem.column === column);
      if (!isReported) problems.push({ code: 'invalid-value', line, column, message });
    };

    const { special } = this.layout;
    const isSpecial = special !== undefined && cell(special.column) === special.value;
    const sources = isSpecial ? this.specialSources : this.sources;
    const raw: Record<string, string | number> = {};
    for (const [axis, source] of sources) {
      if (typeof source === 'number') raw[axis] = source;
      else if (MAY_LACK.has(axis) && UNKNOWN.has(cell(source).toLowerCase())) continue;
      else raw[axis] = axis in WORDS ? cell(source) : decimal(cell(source));
    }
    const parsed = ConvSpecSchema.safeParse(raw);
    for (const issue of parsed.error?.issues ?? []) {
      const [axis, column] = sources.find(([name]) => name === issue.path[0]) ?? [];
      if (axis === undefined || typeof column !== 'string') refuse(null, issue.message);
      else if (issue.code === 'custom') refuse(column, issue.message);
      else refuse(column, `expected ${expectation(axis)}, found ${shown(cell(column))}`);
    }

    const positive = (column: string, what: string, unit: number): number => {
      const value = decimal(cell(column)) * unit;
      if (value > 0 && value < Infinity) return value;
      const hint = /^\d+,\d+$/.test(cell(column)) ? ' (decimals have a point, not a comma)' : '';
      refuse(column, `expected ${what} above 0, found ${shown(cell(column))}${hint}`);
      return Number.NaN;
    };
    const { time } = this.layout;
    const timeMs = this.withTime
      ? positive(time.column, time.unitMs === 1 ? 'a time in milliseconds' : 'a time in seconds', time.unitMs)
      : Number.NaN;
    const implausible =
      parsed.success && Number.isFinite(timeMs) ? implausibleTime(parsed.data, timeMs) : null;
    if (implausible !== null) refuse(time.column, implausible);
    const extras: Extras = {};
    const isKnown = (column: ExtraColumn) =>
      this.extras.has(column) && !UNKNOWN.has(cell(column).toLowerCase());
    for (const column of EXTRA_COLUMNS.filter(isKnown)) {
      const { unit, schema } = SAMPLE_COLUMNS[column];
      if (isText(column)) {
        extras[column] = cell(column);
        if (!schema.safeParse(extras[column]).success) refuse(column, `expected ${TEXTS[column]}`);
      } else if (column === 'workspace_bytes') {
        const bytes = decimal(cell(column));
        if (bytes >= 0 && bytes < Infinity) extras[column] = bytes;
        else refuse(column, `expected bytes from 0, found ${shown(cell(column))}`);
      } else {
        const value = positive(column, 'a number', 1);
        const problem = unit === 'ms' && Number.isFinite(value) ? rangeProblem(value) : null;
        if (problem !== null) refuse(column, problem);
        extras[column] = value;
      }
    }
    return parsed.success && problems.length === 0
      ? { ok: true, values: { spec: parsed.data, timeMs, extras } }
      : { ok: false, problems };
  }
}

function expectation(axis: keyof ConvSpec): string {
  const words = WORDS[axis];
  if (words) return `one of ${words.join(', ')}`;
  const least = PAD_FIELDS.some((field) => field === axis) ? 0 : 1;
  return `a whole number from ${least} to ${MAX_AXIS}`;
}
