import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { errorText } from '@alphaflops/contracts';
import { WorkerError } from '../error.js';

/** A digest as registries write it. */
export interface Digest {
  readonly algorithm: 'sha256' | 'sha512';
  readonly encoding: 'hex' | 'base64';
  readonly value: string;
}

/**
 * Downloads a file. It gets its name only if its digest is correct.
 * @throws WorkerError `cannot-add`
 */
export async function download(
  url: string,
  file: string,
  digest: Digest,
  fetchBy: typeof fetch,
): Promise<void> {
  const part = `${file}.${randomBytes(4).toString('hex')}`;
  const hash = createHash(digest.algorithm);
  const hashing = new Transform({
    transform(piece: Buffer, _encoding, done) {
      hash.update(piece);
      done(null, piece);
    },
  });
  try {
    const { ok, status, body } = await fetchBy(url);
    if (!ok || body === null) throw new Error(`it answers ${status}`);
    await pipeline(Readable.fromWeb(body), hashing, createWriteStream(part));
    if (hash.digest(digest.encoding) !== digest.value)
      throw new Error('its digest does not match that of the registry');
    await rename(part, file);
  } catch (cause) {
    const why = errorText((cause as { cause?: unknown }).cause ?? cause);
    throw new WorkerError('cannot-add', `Cannot download ${url}: ${why}.`, { cause });
  } finally {
    await rm(part, { force: true });
  }
}

/** @throws WorkerError `cannot-add` */
export async function fetchJson(url: string, accept: string, fetchBy: typeof fetch): Promise<unknown> {
  try {
    const response = await fetchBy(url, { headers: { accept } });
    if (!response.ok) throw new Error(`it answers ${response.status}`);
    return await response.json();
  } catch (cause) {
    const why = errorText((cause as { cause?: unknown }).cause ?? cause);
    throw new WorkerError('cannot-add', `Cannot read ${url}: ${why}.`, { cause });
  }
}
