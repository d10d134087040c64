import type { AsyncBuffer, ColumnMetaData } from 'hyparquet';
import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js';

/** Limits for the pages of one column of one row group. */
export interface ChunkLimits {
  readonly values: number;
  readonly bytes: number;
}

interface Page {
  readonly packedBytes: number;
  readonly unpackedBytes: number;
  readonly values: number;
}

/**
 * Adds up the sizes in the headers of the pages of a column chunk. A reader allocates memory by these sizes, and a few
 * bytes can claim billions of values or gigabytes.
 *
 * @throws Error if the sum is above the limits, or if the headers are not within the file
 */
export async function checkPages(
  buffer: AsyncBuffer,
  chunk: ColumnMetaData,
  limits: ChunkLimits,
): Promise<void> {
  const start = Number(chunk.dictionary_page_offset ?? chunk.data_page_offset);
  const length = Number(chunk.total_compressed_size);
  if (!(start >= 0 && length >= 0 && start + length <= buffer.byteLength)) {
    throw new Error('its place is not within the file');
  }
  if (length > limits.bytes) throw new Error(`it takes more than ${limits.bytes} bytes`);
  const view = new DataView(await buffer.slice(start, start + length));
  const reader = { view, offset: 0 };
  let values = 0;
  let bytes = 0;
  while (reader.offset < view.byteLength - 1) {
    const page = pageOf(deserializeTCompactProtocol(reader));
    values += page.values;
    bytes += page.unpackedBytes;
    if (values > limits.values) throw new Error(`it claims more than ${limits.values} values`);
    if (bytes > limits.bytes) throw new Error(`it claims more than ${limits.bytes} bytes`);
    reader.offset += page.packedBytes;
  }
}

/**
 * The header of a page, by the numbers of its fields in the format. The values of a dictionary count in addition to
 * those of the data pages.
 */
function pageOf(header: Record<string, unknown>): Page {
  const { field_2: unpacked, field_3: packed, field_5: data, field_7: dictionary, field_8: data2 } = header;
  const inner = (data ?? data2) as { field_1?: unknown } | undefined;
  const page = {
    unpackedBytes: Number(unpacked),
    packedBytes: Number(packed),
    values: Number(inner?.field_1 ?? 0),
  };
  const entries = Number((dictionary as { field_1?: unknown } | undefined)?.field_1 ?? 0);
  const isSound = [...Object.values(page), entries].every((value) => value >= 0);
  if (!isSound) throw new Error('the header of a page is damaged');
  // An entry of a dictionary needs at least one byte if it is text, and more if it is a number.
  if (entries > page.unpackedBytes) throw new Error('a dictionary claims more entries than it has bytes');
  return page;
}
