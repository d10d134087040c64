import { promisify } from 'node:util';
import { createGunzip, gzip } from 'node:zlib';
import { pipeline, Readable } from 'node:stream';
import type { DatasetRow } from '@alphaflops/contracts';

const compress = promisify(gzip);

/** Size of the text in one part of a stored data set before compression, far below the limit of a store. */
const PART_CHARACTERS = 4 * 2 ** 20;

/** Rows as parts of a stored data set: JSON Lines. Each part is compressed separately, so that the parts in sequence are one file. */
export class PackedRows {
  private lines: string[] = [];
  private characters = 0;

  /** The next part, when it is full. */
  async add(row: DatasetRow): Promise<Uint8Array | null> {
    const line = JSON.stringify(row);
    this.lines.push(line);
    this.characters += line.length;
    return this.characters < PART_CHARACTERS ? null : this.take();
  }

  /** The remaining rows; null: none. */
  async rest(): Promise<Uint8Array | null> {
    return this.lines.length === 0 ? null : this.take();
  }

  private take(): Promise<Uint8Array> {
    const text = `${this.lines.join('\n')}\n`;
    this.lines = [];
    this.characters = 0;
    return compress(text, { level: 3 });
  }
}

/** JSON Lines of stored parts. */
export function unpacked(parts: AsyncIterable<Uint8Array>): Readable {
  // An error also ends the reader of the result.
  return pipeline(Readable.from(parts), createGunzip(), () => undefined);
}

/** The rows of stored parts. They were checked before they were stored. */
export async function* rowsOf(parts: AsyncIterable<Uint8Array>): AsyncGenerator<DatasetRow> {
  let rest = '';
  for await (const text of unpacked(parts).setEncoding('utf8') as AsyncIterable<string>) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield JSON.parse(line) as DatasetRow;
  }
}
