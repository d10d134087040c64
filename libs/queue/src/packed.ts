import { promisify } from 'node:util';
import { constants, gunzip, gzip } from 'node:zlib';

/** What a large result is in Redis: its JSON, compressed, in base64. */
interface Packed {
  gzip: string;
}

/** Smaller ones save little and cost as much. */
const LARGE_CHARACTERS = 8_192;
/** A few kB may expand to any size, and Redis is written to by workers: more than a batch can hold is not unpacked. */
const MOST_BYTES = 256 * 1024 * 1024;

/** The value itself, or compressed when its JSON is large: results are mostly digits and the same keys again and again. */
export async function pack(value: unknown): Promise<unknown> {
  const text = JSON.stringify(value);
  if (text.length < LARGE_CHARACTERS) return value;
  const bytes = await promisify(gzip)(text, { level: constants.Z_BEST_SPEED });
  return { gzip: bytes.toString('base64') } satisfies Packed;
}

/** What was packed. @throws Error when it was not packed by `pack` */
export async function unpack(value: unknown): Promise<unknown> {
  if (!isPacked(value)) return value;
  const bytes = await promisify(gunzip)(Buffer.from(value.gzip, 'base64'), { maxOutputLength: MOST_BYTES });
  return JSON.parse(bytes.toString());
}

function isPacked(value: unknown): value is Packed {
  return typeof value === 'object' && value !== null && 'gzip' in value && typeof value.gzip === 'string';
}
