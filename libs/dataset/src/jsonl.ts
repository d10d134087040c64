import { Problems } from './dataset-error.js';
import { readerFor, type SampleRow } from './read.js';
import { EXTRA_COLUMNS } from './row-reader.js';
import { MAX_RECORD_BYTES, pieces, withBoundedRecords, type TextSource } from './text-source.js';
import { sampleColumns, type SampleValues } from './write.js';

/**
 * Samples of a JSON Lines file: one object per line with the names of the CSV columns. The same rules apply.
 *
 * @throws DatasetError like `readSamples`.
 */
export async function* readSamplesJsonl(source: TextSource, file: string): AsyncGenerator<SampleRow> {
  const problems = new Problems(file);
  let keys = '';
  let reader: ReturnType<typeof readerFor> | undefined;
  let objects = 0;
  for await (const { line, text } of numberedLines(source, problems)) {
    if (text.trim() === '') continue;
    objects += 1;
    const object = objectOf(text);
    if (!object) {
      const message = 'expected one JSON object';
      problems.add({ code: 'malformed', line, column: null, message });
      continue;
    }
    const header = Object.keys(object);
    const theseKeys = JSON.stringify(header);
    if (!reader || theseKeys !== keys) reader = readerFor(header, line, true, problems);
    keys = theseKeys;
    const row = reader.read(Object.values(object).map(cellOf), line);
    if (!row.ok) problems.add(...row.problems);
    else if (!problems.any) yield { line, ...row.values };
  }
  const message = 'expected one JSON object per line, found nothing';
  if (objects === 0) problems.fatal({ code: 'empty', line: null, column: null, message });
  problems.throwIfAny();
}

/** Samples as JSON Lines, one line at a time. */
export async function* writeSamplesJsonl(
  samples: Iterable<SampleValues> | AsyncIterable<SampleValues>,
): AsyncGenerator<string> {
  const columns = sampleColumns(EXTRA_COLUMNS, true);
  for await (const sample of samples) {
    yield `${JSON.stringify({ ...sample.spec, time_ms: sample.timeMs, ...sample.extras }, columns)}\n`;
  }
}

/** The JSON object in a text, or null. */
export function objectOf(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}

function cellOf(value: unknown): string {
  if (value === null) return '';
  return typeof value === 'string' ? value.trim() : JSON.stringify(value);
}

/** The lines of a text, counted from 1. @throws DatasetError for one that is too long */
export async function* numberedLines(
  source: TextSource,
  problems: Problems,
  maxRecordBytes = MAX_RECORD_BYTES,
): AsyncGenerator<{ line: number; text: string }> {
  const decoder = new TextDecoder();
  let line = 0;
  let rest = '';
  const bounded = withBoundedRecords(
    pieces(source),
    false,
    (problem) => problems.fatal(problem),
    maxRecordBytes,
  );
  for await (const piece of bounded) {
    const parts = (rest + decoder.decode(piece, { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    for (const text of parts) yield { line: ++line, text };
  }
  if (rest !== '') yield { line: ++line, text: rest };
}
