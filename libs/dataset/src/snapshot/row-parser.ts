import { type DatasetRow, DatasetRowSchema } from '@alphaflops/contracts';
import type { Problems } from '../dataset-error.js';
import { ALL_COLUMNS, COLUMNS, groupsOf } from './columns.js';

/** Columns that identify a file with the rows of a data set. */
const MARKS = ['sample_id', 'recorded_at', 'device_class_id'] as const;

/** Whether a file with these columns has the complete rows of a data set, and not another layout. */
export function hasDatasetRows(columns: readonly string[]): boolean {
  return MARKS.every((mark) => columns.includes(mark));
}

/** @throws DatasetError if a column is missing or occurs twice */
export function expectColumns(found: readonly string[], line: number | null, problems: Problems): void {
  const twice = found.find((column, at) => found.indexOf(column) !== at);
  if (twice !== undefined) {
    const message = 'expected every column once, found this one twice';
    problems.fatal({ code: 'duplicate-column', line, column: twice, message });
  }
  const missing = COLUMNS.filter(({ name }) => !found.includes(name)).map(({ name }) => name);
  if (missing.length > 0) {
    const message = `expected the columns of a data set, missing ${missing.join(', ')}`;
    problems.fatal({ code: 'missing-column', line, column: missing[0] ?? null, message });
  }
}

/**
 * The row with these values. If they are not a valid row, reports the problems and returns null. Ignores unknown
 * columns.
 */
export function parseRow(
  values: Readonly<Record<string, unknown>>,
  line: number,
  problems: Problems,
): DatasetRow | null {
  const cells: Record<string, unknown> = {};
  const groups = groupsOf((name) => values[name]);
  for (const { name, group } of ALL_COLUMNS) {
    if (group === null) cells[name] = values[name];
    else if (groups.includes(group)) cells[name] = values[name] ?? null;
  }
  const parsed = DatasetRowSchema.safeParse(cells);
  if (parsed.success) return parsed.data;
  problems.add(
    ...parsed.error.issues.map(({ path, message }) => ({
      code: 'invalid-value' as const,
      line,
      column: path.length === 0 ? null : String(path[0]),
      message,
    })),
  );
  return null;
}
