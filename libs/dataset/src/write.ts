import { hasOptionalFields, OPTIONAL_FIELDS, specKey, type ConvSpec } from '@alphaflops/conv';
import { stringify } from 'csv-stringify/sync';
import { decimal, EXTRA_COLUMNS, type ExtraColumn, type Extras } from './row-reader.js';

/** Columns of a ConvSpec in the canonical order. */
export const SPEC_COLUMNS = [
  'batch',
  'height',
  'width',
  'cin',
  'cout',
  'kernel_h',
  'kernel_w',
  'stride',
  'groups',
  'dtype',
  'padding',
  'layout',
] as const satisfies readonly (keyof ConvSpec)[];

/** The values of a sample in a file. */
export interface SampleValues {
  readonly spec: ConvSpec;
  readonly timeMs: number;
  readonly extras?: Extras;
}

/** Null, undefined and numbers that are not finite become empty cells. */
export type Cell = string | number | boolean | null | undefined;

type Rows<T> = Iterable<T> | AsyncIterable<T>;

const ROWS_PER_PIECE = 1000;

/** Columns of a ConvSpec. Columns of optional fields are present only if a spec has one, so that other files do not change. */
export function specColumns(hasOptional: boolean): readonly (keyof ConvSpec)[] {
  return hasOptional ? [...SPEC_COLUMNS, ...OPTIONAL_FIELDS] : SPEC_COLUMNS;
}

/** Columns of a sample in the canonical order, with the requested further columns. */
export function sampleColumns(extras: readonly ExtraColumn[] = EXTRA_COLUMNS, hasOptional = false): string[] {
  return [...specColumns(hasOptional), 'time_ms', ...extras];
}

/**
 * A CSV file in pieces: the header, then rows. Cells have quotes only where necessary. A written number gives the same number
 * when it is read. Text that a spreadsheet would run as a formula (it starts with = + - @ and is not a number) gets an
 * apostrophe in front.
 */
export async function* writeCsv(
  columns: readonly string[],
  rows: Rows<readonly Cell[]>,
): AsyncGenerator<string> {
  let held: Cell[][] = [[...columns]];
  for await (const row of rows) {
    held.push(row.map(plain));
    if (held.length === ROWS_PER_PIECE) {
      yield stringify(held, { escape_formulas: true });
      held = [];
    }
  }
  if (held.length > 0) yield stringify(held, { escape_formulas: true });
}

/** ConvSpecs as canonical CSV without times. */
export async function* writeSpecs(specs: readonly ConvSpec[]): AsyncGenerator<string> {
  const columns = specColumns(specs.some(hasOptionalFields));
  yield* writeCsv(
    columns,
    mapped(specs, (spec) => columns.map((column) => spec[column])),
  );
}

/**
 * Samples as canonical CSV with the requested further columns. A cell is empty if a sample has no value.
 * @param hasOptional whether some spec has an optional field: the header is written before the first sample
 * @throws Error for a spec with an optional field that has no column
 */
export async function* writeSamples(
  samples: Rows<SampleValues>,
  extras: readonly ExtraColumn[] = EXTRA_COLUMNS,
  hasOptional = false,
): AsyncGenerator<string> {
  const columns = specColumns(hasOptional);
  const cells = ({ spec, timeMs, extras: values }: SampleValues): Cell[] => {
    if (!hasOptional && hasOptionalFields(spec)) throw new Error(`no column has all of ${specKey(spec)}`);
    return [...columns.map((column) => spec[column]), timeMs, ...extras.map((column) => values?.[column])];
  };
  yield* writeCsv(sampleColumns(extras, hasOptional), mapped(samples, cells));
}

/** Converts signed numbers in text to numbers, so that the guard against formulas does not change them. */
function plain(cell: Cell): Cell {
  if (typeof cell === 'number') return Number.isFinite(cell) ? cell : null;
  if (typeof cell === 'boolean') return String(cell);
  return typeof cell === 'string' && /^[+-]/.test(cell) && Number.isFinite(decimal(cell))
    ? Number(cell)
    : cell;
}

async function* mapped<T, U>(items: Rows<T>, change: (item: T) => U): AsyncGenerator<U> {
  for await (const item of items) yield change(item);
}
