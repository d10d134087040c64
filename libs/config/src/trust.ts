import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { checkServerIdentity, type PeerCertificate, rootCertificates } from 'node:tls';
import { ConfigError } from './config-error.js';

/** Options of a TLS client: the certificates that it trusts. */
export interface Trust {
  readonly ca: string[];
  readonly allowPartialTrustChain: true;
  readonly checkServerIdentity: (host: string, peer: PeerCertificate) => Error | undefined;
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Trusts the authorities that Node knows and the given certificates. A given server certificate is trusted for every name
 * of the server, because the certificate itself is known.
 * @param pem certificates in PEM
 * @throws ConfigError when the text has no certificate
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

/**
 * The pin of a certificate: SHA-256 of its public key (SubjectPublicKeyInfo, RFC 7469), in base64url without padding.
 * It stays the same when the certificate is renewed with the same key.
 */
export function publicKeyPin({ publicKey }: X509Certificate): string {
  // The public key of a peer certificate with an EC key is not in this format, so it is exported here.
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('base64url');
}

/**
 * The pin of a self-signed server certificate, which no authority signs; null for other certificates.
 * @param pem the certificate comes first
 */
export function selfSignedPin(pem: string): string | null {
  const certificate = new X509Certificate(pem);
  return certificate.issuer === certificate.subject ? publicKeyPin(certificate) : null;
}

/**
 * Trusts only one public key, for every name of the server.
 * @param certificate as the server presents it
 * @param pin the expected result of `publicKeyPin`
 * @throws ConfigError when it has another key
 */
export function trustInKey(certificate: X509Certificate, pin: string): Trust {
  if (publicKeyPin(certificate) !== pin) {
    throw new ConfigError(
      'The server has another key than the join token says: another machine may answer in its place. ' +
        'If the coordinator has a new certificate, make a new join token and join again.',
    );
  }
  return {
    ca: [certificate.toString()],
    allowPartialTrustChain: true,
    checkServerIdentity: (host, peer) =>
      publicKeyPin(new X509Certificate(peer.raw)) === pin
        ? undefined
        : new Error(`The key of the server at ${host} is not the pinned key.`),
  };
}

/** @throws ConfigError that names the unreadable file */
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
