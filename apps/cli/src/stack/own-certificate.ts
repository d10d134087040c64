import { existsSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { errorText as messageOf } from '@alphaflops/contracts/text';
import { type Config, ConfigError, isLoopback, makeDirectory } from '@alphaflops/config';
import { CliError } from '../error.js';

const YEARS = 10;

/**
 * Settings with which the stack may listen to other machines. If there is no certificate, the data directory gets a
 * self-signed one. It stays there, so that joined workers recognize it. * @throws CliError `failed` if it cannot be
 * written, ConfigError if its directory cannot be made
 */
export async function withOwnCertificate(config: Config, say: (line: string) => void): Promise<Config> {
  const { host, tls, insecure, dataDirectory } = config;
  if (isLoopback(host) || tls !== null || insecure) return config;
  const directory = join(dataDirectory, 'tls');
  const own = { certFile: join(directory, 'cert.pem'), keyFile: join(directory, 'key.pem') };
  if (!existsSync(own.certFile) || !existsSync(own.keyFile)) {
    try {
      makeDirectory(directory);
      const { cert, key } = await makeCertificate();
      await writeNew(own.keyFile, key, 0o600);
      await writeNew(own.certFile, cert, 0o644);
    } catch (error) {
      if (error instanceof ConfigError) throw error;
      throw new CliError('failed', `Cannot make a certificate in ${directory}: ${messageOf(error)}.`, {
        cause: error,
      });
    }
    say(
      `Made a self-signed certificate, ${own.certFile}: nodes that join recognize it by the pin in their token.`,
    );
  }
  return { ...config, tls: own };
}

/** An EC certificate (P-256) for this machine's names and addresses, in PEM. */
async function makeCertificate(): Promise<{ cert: string; key: string }> {
  // Only the first start needs this package.
  const { generate } = await import('selfsigned');
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  const notAfterDate = new Date();
  notAfterDate.setFullYear(notAfterDate.getFullYear() + YEARS);
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'alphaflops coordinator' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notAfterDate,
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          ...['localhost', hostname()].map((value) => ({ type: 2 as const, value })),
          // A link-local address has a zone, and a certificate cannot contain a zone.
          ...addresses
            .filter(({ scopeid }) => !scopeid)
            .map(({ address }) => ({ type: 7 as const, ip: address })),
        ],
      },
    ],
  });
  return { cert, key };
}

async function writeNew(file: string, content: string, mode: number): Promise<void> {
  await writeFile(`${file}.part`, content, { mode });
  await rename(`${file}.part`, file);
}
