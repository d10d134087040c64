import type { DatasetRow } from '@alphaflops/contracts';
import { Problems } from '../dataset-error.js';
import { numberedLines, objectOf } from '../jsonl.js';
import type { TextSource } from '../text-source.js';
import { expectColumns, parseRow } from './row-parser.js';
import { MAX_ROW_BYTES, type NumberedRow } from './rows.js';

const ROWS_PER_PIECE = 200;

/** JSON Lines in pieces: one object with every column per line. */
export async function* writeRowsJsonl(
  rows: Iterable<DatasetRow> | AsyncIterable<DatasetRow>,
): AsyncGenerator<string> {
  let held: string[] = [];
  for await (const row of rows) {
    if (held.push(JSON.stringify(row)) < ROWS_PER_PIECE) continue;
    yield `${held.join('\n')}\n`;
    held = [];
  }
  if (held.length > 0) yield `${held.join('\n')}\n`;
}

/** @throws DatasetError naming line and column */
export async function* readRowsJsonl(source: TextSource, file: string): AsyncGenerator<NumberedRow> {
  const problems = new Problems(file);
  let isFirst = true;
  for await (const { line, text } of numberedLines(source, problems, MAX_ROW_BYTES)) {
    if (text.trim() === '') continue;
    const object = objectOf(text);
    if (object === null) {
      problems.add({ code: 'malformed', line, column: null, message: 'expected one JSON object' });
      continue;
    }
    if (isFirst) expectColumns(Object.keys(object), line, problems);
    isFirst = false;
    const row = parseRow(object, line, problems);
    if (row !== null && !problems.any) yield { line, row };
  }
  if (isFirst) {
    const message = 'expected one JSON object per line, found nothing';
    problems.fatal({ code: 'empty', line: null, column: null, message });
  }
  problems.throwIfAny();
}
