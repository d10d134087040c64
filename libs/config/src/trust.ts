import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { checkServerIdentity, type PeerCertificate, rootCertificates } from 'node:tls';
import { ConfigError } from './environment.js';

/** Options of a TLS client: whom it believes. */
export interface Trust {
  readonly ca: string[];
  readonly allowPartialTrustChain: true;
  readonly checkServerIdentity: (host: string, peer: PeerCertificate) => Error | undefined;
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Believes the authorities that Node knows and the given certificates. One that is a server's own is believed whatever
 * name the server is reached by: it is known, not vouched for.
 * @param pem certificates in PEM
 * @throws ConfigError when there is none
 */
export function trustIn(pem: string): Trust {
  const given = pem.match(PEM) ?? [];
  let pinned: string[];
  try {
    pinned = given.map((text) => new X509Certificate(text)).map(({ fingerprint256 }) => fingerprint256);
  } catch {
    pinned = [];
  }
  if (pinned.length === 0)
    throw new ConfigError('There is no certificate in PEM (-----BEGIN CERTIFICATE-----) to trust.');
  return {
    ca: [...rootCertificates, ...given],
    allowPartialTrustChain: true,
    checkServerIdentity: (host, peer) =>
      pinned.includes(peer.fingerprint256) ? undefined : checkServerIdentity(host, peer),
  };
}

/** @throws ConfigError naming the file that cannot be read */
export function readPem(files: readonly string[]): string | null {
  if (files.length === 0) return null;
  return files.map((file) => readText(file)).join('\n');
}

/** Certificate and key of a TLS server, in PEM. */
export function readTls(tls: { certFile: string; keyFile: string }): { cert: string; key: string } {
  return { cert: readText(tls.certFile), key: readText(tls.keyFile) };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ConfigError(`Cannot read ${file}: ${(cause as Error).message}.`);
  }
}
