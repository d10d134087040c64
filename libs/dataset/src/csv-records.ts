import { pipeline } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import type { Problems } from './dataset-error.js';
import { MAX_RECORD_BYTES, pieces, withBoundedRecords, type TextSource } from './text-source.js';

/** One line of a CSV file. */
export interface CsvRecord {
  readonly line: number;
  readonly cells: readonly string[];
}

/**
 * The records of a CSV file (RFC 4180: comma, double quotes; any line ends; a byte order mark and empty lines are
 * skipped), one at a time.
 *
 * @throws DatasetError `malformed` or `too-long`; whatever reading the source throws goes through unchanged.
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
    trim: true, // blanks outside quotes
  });
  const bytes = withBoundedRecords(
    pieces(source),
    true,
    (problem) => problems.fatal(problem),
    maxRecordBytes,
  );
  // The callback has nothing to do: an error ends the iteration of the parser too.
  pipeline(bytes, parser, () => undefined);
  try {
    for await (const { record, info } of parser as AsyncIterable<{
      record: string[];
      info: { lines: number };
    }>) {
      yield { line: info.lines, cells: record };
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = typeof error['lines'] === 'number' ? error['lines'] : null;
    const message = 'expected the quotes of every cell to match: "…", with a quote inside doubled';
    problems.fatal({ code: 'malformed', line, column: null, message });
  }
}
