import type { Config } from './config.js';
import { ConfigError } from './environment.js';

const LOOPBACK = ['localhost', '::1'];

/** Whether only this machine can reach what listens at `host`. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.includes(host) || host.startsWith('127.');
}

/** @throws ConfigError when others could listen to what is said at the address */
export function assertSafeToListen({ host, tls, insecure }: Pick<Config, 'host' | 'tls' | 'insecure'>): void {
  if (isLoopback(host) || tls !== null || insecure) return;
  throw new ConfigError(
    `Without TLS nothing listens on ${host}: tokens would cross the network for all to read. Give a certificate ` +
      '(--tls-cert FILE --tls-key FILE, or ALPHAFLOPS_TLS_CERT and ALPHAFLOPS_TLS_KEY). On a network that you trust, or ' +
      'behind a proxy that does TLS, say --insecure (ALPHAFLOPS_INSECURE=true).',
  );
}
