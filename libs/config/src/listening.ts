import { hostname, networkInterfaces } from 'node:os';
import type { Config } from './config.js';
import { ConfigError } from './config-error.js';

const EVERYWHERE = ['0.0.0.0', '::'];
const LOOPBACK = ['localhost', '::1'];

/** Whether only this machine can reach a server that listens at `host`. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.includes(host) || host.startsWith('127.');
}

/** The address at which this machine reaches a server that listens at `host`. */
export function localHost(host: string): string {
  return EVERYWHERE.includes(host) ? '127.0.0.1' : host;
}

/** The address at which other machines reach a server at `host`: one of this machine's addresses if it listens at all of them. */
export function publicHost(host: string, interfaces = networkInterfaces()): string {
  if (!EVERYWHERE.includes(host) && !isLoopback(host)) return host;
  const outward = Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal);
  return outward?.address ?? hostname();
}

export function httpUrl(host: string, port: number | string, scheme: 'http' | 'https' = 'http'): string {
  return `${scheme}://${inUrl(host)}:${port}`;
}

/** A host in URL format. */
export function inUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** @throws ConfigError when others could read the traffic at the address */
export function assertSafeToListen({ host, tls, insecure }: Pick<Config, 'host' | 'tls' | 'insecure'>): void {
  if (isLoopback(host) || tls !== null || insecure) return;
  throw new ConfigError(
    `Without TLS nothing listens on ${host}: others could read the tokens on the network. Give a certificate ` +
      '(--tls-cert FILE --tls-key FILE, or ALPHAFLOPS_TLS_CERT and ALPHAFLOPS_TLS_KEY). On a network that you trust, or ' +
      'behind a proxy that does TLS, use --insecure (ALPHAFLOPS_INSECURE=true).',
  );
}
