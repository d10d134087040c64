import { hostname, networkInterfaces } from 'node:os';
import { isLoopback } from '@alphaflops/config';

const EVERYWHERE = ['0.0.0.0', '::'];

/** Where we on this machine reach what listens at `host`. */
export function localHost(host: string): string {
  return EVERYWHERE.includes(host) ? '127.0.0.1' : host;
}

/** Where other machines reach what listens at `host`; of this machine's own addresses when it listens at all of them. */
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

export function inUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
