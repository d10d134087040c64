import { pipeline } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import type { Problems } from './dataset-error.js';
import {
  EncodingCheck,
  MAX_RECORD_BYTES,
  pieces,
  withBoundedRecords,
  type TextSource,
} from './text-source.js';

/** One line of a CSV file. */
export interface CsvRecord {
  readonly line: number;
  readonly cells: readonly string[];
}

/** Separators that spreadsheets write between columns instead of a comma. */
const SEPARATORS: Readonly<Record<string, string>> = { ';': 'semicolons', '\t': 'tabs', '|': 'bars' };

/**
 * The records of a CSV file (RFC 4180: comma, double quotes; any line ends), one at a time. A byte order mark, empty
 * lines, rows of empty cells and the line `sep=,` of Excel are skipped.
 *
 * @throws DatasetError `malformed` or `too-long`; errors of the source pass through unchanged.
 */
export async function* csvRecords(
  source: TextSource,
  problems: Problems,
  maxRecordBytes = MAX_RECORD_BYTES,
): AsyncGenerator<CsvRecord> {
  const parser = parse({
    bom: true,
    info: true,
    max_record_size: maxRecordBytes,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_empty_values: true,
    trim: true, // blanks outside quotes
  });
  const encoding = new EncodingCheck();
  const bytes = withBoundedRecords(
    encoding.over(pieces(source)),
    true,
    (problem) => problems.fatal(problem),
    maxRecordBytes,
  );
  // The callback is empty, because an error also ends the iteration of the parser.
  pipeline(bytes, parser, () => undefined);
  let header: string[] | undefined;
  try {
    for await (const { record, info } of parser as AsyncIterable<{
      record: string[];
      info: { lines: number };
    }>) {
      if (encoding.isBroken) refuseBrokenCell(record, header, info.lines, problems);
      if (header === undefined) {
        const separator = separatorLine(record);
        if (separator === ',') continue;
        refuseOtherSeparator(record, separator, info.lines, problems);
        header = record;
      }
      yield { line: info.lines, cells: record };
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = typeof error['lines'] === 'number' ? error['lines'] : null;
    const message = 'expected the quotes of every cell to match: "…", with a quote inside doubled';
    problems.fatal({ code: 'malformed', line, column: null, message });
  }
}

/** The separator that the first line of a file of Excel names: `sep=;`. */
function separatorLine([first = '', ...rest]: readonly string[]): string | undefined {
  const named = /^sep=(.?)$/i.exec(first)?.[1];
  if (named === undefined) return undefined;
  return rest.length > 0 ? ',' : named || '\t';
}

/** A file with commas and other separators is ambiguous, mainly in numbers. The reader does not guess. */
function refuseOtherSeparator(
  cells: readonly string[],
  named: string | undefined,
  line: number,
  problems: Problems,
): void {
  const [only = ''] = cells;
  const used =
    named ??
    (cells.length === 1 ? Object.keys(SEPARATORS).find((separator) => only.includes(separator)) : undefined);
  if (used === undefined) return;
  const found = SEPARATORS[used] ?? `"${used}"`;
  const message =
    `expected commas between the columns and points in decimals, found ${found} between the columns: ` +
    'save the file as CSV with commas';
  problems.fatal({ code: 'malformed', line, column: null, message });
}

/** @throws DatasetError for the first cell with bytes that could not be decoded */
function refuseBrokenCell(
  cells: readonly string[],
  header: readonly string[] | undefined,
  line: number,
  problems: Problems,
): void {
  const at = cells.findIndex((cell) => cell.includes('\uFFFD'));
  if (at < 0) return;
  const column = header?.[at] ?? `number ${at + 1}`;
  const message = 'expected UTF-8, found bytes that are not: save the file as UTF-8';
  problems.fatal({ code: 'malformed', line, column, message });
}
