import type { DatasetProblem } from './dataset-error.js';

/** The UTF-8 text of a file: the whole text, or its pieces in order (a file stream, a response body). */
export type TextSource = string | AsyncIterable<string | Uint8Array>;

/** Longest record in bytes: a line, or several if a quoted cell has line breaks. A data row has about 150 bytes. */
export const MAX_RECORD_BYTES = 65_536;

const PIECE_BYTES = 65_536;

/** The bytes of the source in small pieces, so that the results of one piece stay small. */
export async function* pieces(source: TextSource): AsyncGenerator<Buffer> {
  for await (const part of typeof source === 'string' ? [source] : source) {
    const bytes =
      typeof part === 'string' ? Buffer.from(part) : Buffer.from(part.buffer, part.byteOffset, part.length);
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
  }
}

/** Checks pieces of a text for bytes that are not UTF-8. The reader handles UTF-16 with a byte order mark. */
export class EncodingCheck {
  private readonly decoder = new TextDecoder('utf-8', { fatal: true });
  /** Whether such bytes occurred. */
  isBroken = false;

  async *over(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let isUtf16: boolean | undefined;
    for await (const piece of source) {
      isUtf16 ??= piece[0] === 0xff && piece[1] === 0xfe;
      if (!isUtf16) this.check(piece, true);
      yield piece;
    }
    if (isUtf16 === false) this.check(Buffer.alloc(0), false);
  }

  private check(piece: Buffer, stream: boolean): void {
    if (this.isBroken) return;
    try {
      this.decoder.decode(piece, { stream });
    } catch {
      this.isBroken = true;
    }
  }
}

const QUOTE = 0x22;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * The same pieces, up to the first record that is longer than `maxRecordBytes`. So no file can make a reader hold more than
 * one such record.
 *
 * @param quotes whether line breaks between double quotes belong to the record
 * @param refuse called with the long record; it throws
 */
export async function* withBoundedRecords(
  source: AsyncIterable<Buffer>,
  quotes: boolean,
  refuse: (problem: DatasetProblem) => never,
  maxRecordBytes = MAX_RECORD_BYTES,
): AsyncGenerator<Buffer> {
  let line = 1;
  let recordBytes = 0;
  let quoted = false;
  for await (const piece of source) {
    for (const byte of piece) {
      if (byte === LINE_FEED) line += 1;
      if (byte === QUOTE && quotes) quoted = !quoted;
      if (!quoted && (byte === LINE_FEED || byte === CARRIAGE_RETURN)) recordBytes = 0;
      else recordBytes += 1;
      if (recordBytes > maxRecordBytes) {
        const message = `expected lines of at most ${maxRecordBytes} bytes: is this a text file, are its quotes closed?`;
        refuse({ code: 'too-long', line, column: null, message });
      }
    }
    yield piece;
  }
}
