import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorText } from '@alphaflops/contracts';
import { makeDirectory } from '@alphaflops/config';
import { workerIdOf } from '@alphaflops/provenance';
import { WorkerError } from '../error.js';

/** Signing key of a node without a network. */
export interface OfflineIdentity {
  readonly workerId: string;
  /** As `Worker.publicKey`. */
  readonly publicKey: string;
  readonly signingKey: KeyObject;
}

/**
 * The identity in a file (Ed25519, PKCS #8 in PEM, mode 0600). A missing file is created with a new key.
 * @throws WorkerError `bad-credentials`
 */
export async function identityAt(file: string): Promise<OfflineIdentity> {
  try {
    makeDirectory(dirname(file));
    const key = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' });
    await writeFile(file, key, { mode: 0o600, flag: 'wx', flush: true });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new WorkerError('bad-credentials', `Cannot write ${file}: ${errorText(cause)}.`, { cause });
    }
  }
  let signingKey: KeyObject;
  try {
    signingKey = createPrivateKey(await readFile(file));
  } catch (cause) {
    throw new WorkerError(
      'bad-credentials',
      `${file} does not contain a private key of this node: name another file with --credentials.`,
      { cause },
    );
  }
  const { kty, crv, x: publicKey } = createPublicKey(signingKey).export({ format: 'jwk' });
  if (kty !== 'OKP' || crv !== 'Ed25519' || publicKey === undefined) {
    throw new WorkerError('bad-credentials', `${file} contains a key that is not an Ed25519 key.`);
  }
  return { workerId: workerIdOf(publicKey), publicKey, signingKey };
}
