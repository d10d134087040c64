import { inflateSync } from 'fflate';
import type { ByteSource } from './byte-source.js';
import { NetworkError } from './network.js';

/** An entry of a ZIP archive. */
export interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly compressedSize: number;
  readonly size: number;
  readonly headerAt: number;
}

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;
const [END_BYTES, ENTRY_BYTES, HEADER_BYTES] = [22, 46, 30];
const LONGEST_COMMENT = 2 ** 16;
const MAX_ENTRIES = 100_000;
const [STORED, DEFLATED] = [0, 8];

/**
 * Lists the files of a ZIP archive from its directory, which is at the end of the archive. Loads nothing else.
 * Format: PKWARE's APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16.
 *
 * @throws NetworkError `malformed`
 */
export function zipEntries(source: ByteSource): ZipEntry[] {
  const tail = source.read(Math.max(0, source.size - LONGEST_COMMENT - END_BYTES), source.size);
  const view = viewOf(tail);
  let end = tail.byteLength - END_BYTES;
  while (end >= 0 && view.getUint32(end, true) !== END_OF_DIRECTORY) end--;
  if (end < 0) throw broken('it has no directory at the end');
  const [count, size, start] = [
    view.getUint16(end + 10, true),
    view.getUint32(end + 12, true),
    view.getUint32(end + 16, true),
  ];
  if (start + size > source.size || count > MAX_ENTRIES) throw broken('its directory is outside the file');
  return entriesOf(source.read(start, start + size), count);
}

function entriesOf(directory: Uint8Array, count: number): ZipEntry[] {
  const view = viewOf(directory);
  const entries: ZipEntry[] = [];
  for (let at = 0; entries.length < count;) {
    if (at + ENTRY_BYTES > directory.byteLength || view.getUint32(at, true) !== DIRECTORY_ENTRY) {
      throw broken('its directory is truncated');
    }
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((offset) =>
      view.getUint16(at + offset, true),
    );
    const nameEnd = at + ENTRY_BYTES + (nameBytes ?? 0);
    entries.push({
      name: new TextDecoder().decode(directory.subarray(at + ENTRY_BYTES, nameEnd)),
      method: view.getUint16(at + 10, true),
      compressedSize: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      headerAt: view.getUint32(at + 42, true),
    });
    at = nameEnd + (extraBytes ?? 0) + (commentBytes ?? 0);
  }
  return entries;
}

/** @throws NetworkError `malformed`, `too-large` */
export function unzipped(source: ByteSource, entry: ZipEntry, mostBytes: number): Uint8Array {
  const { headerAt, compressedSize, size, method, name } = entry;
  if (size > mostBytes || compressedSize > mostBytes) {
    throw new NetworkError(
      'too-large',
      `${name} in the archive has ${size} bytes. The limit is ${mostBytes} bytes.`,
    );
  }
  if (headerAt + HEADER_BYTES > source.size) throw broken(`${name} is outside the file`);
  const header = viewOf(source.read(headerAt, headerAt + HEADER_BYTES));
  if (header.getUint32(0, true) !== LOCAL_HEADER)
    throw broken(`${name} is not at the position in the directory`);
  const start = headerAt + HEADER_BYTES + header.getUint16(26, true) + header.getUint16(28, true);
  if (start + compressedSize > source.size) throw broken(`${name} is outside the file`);
  const data = source.read(start, start + compressedSize);
  if (method === STORED) return data;
  if (method !== DEFLATED) throw broken(`${name} is compressed with the unknown method ${method}`);
  try {
    return inflateSync(data, { out: new Uint8Array(size) });
  } catch (error) {
    throw broken(`${name} cannot be unpacked`, error);
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function broken(reason: string, cause?: unknown): NetworkError {
  return new NetworkError('malformed', `This is not a valid ZIP archive: ${reason}.`, { cause });
}
