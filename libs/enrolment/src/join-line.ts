import { type Config, inUrl, isLoopback, publicHost } from '@alphaflops/config';
import type { ApiRequest } from '@alphaflops/http';

/** How machines that join reach the coordinator. */
export interface JoinAddress extends Pick<Config, 'host' | 'publicUrl'> {
  /** Pin of the coordinator's public key if its certificate is self-signed and no proxy terminates TLS for it. */
  readonly keyPin: string | null;
}

/**
 * The coordinator's address for other machines: the configured one, otherwise the one that the client has used. A client
 * on this machine has used the loopback address, which other machines cannot reach.
 */
export function addressFor(request: ApiRequest, { host, publicUrl }: JoinAddress): string {
  if (publicUrl !== null) return publicUrl;
  const reachedBy = request.get('host') ?? '';
  // It goes into a line that people paste into a shell.
  const used = /^[\w.:[\]-]+$/.test(reachedBy) ? new URL(`http://${reachedBy}`) : new URL('http://localhost');
  const isOnlyLocal = isLoopback(used.hostname.replace(/^\[|\]$/g, '')) && !isLoopback(host);
  const port = used.port === '' ? '' : `:${used.port}`;
  return `${request.protocol}://${isOnlyLocal ? inUrl(publicHost(host)) : used.hostname}${port}`;
}

/** The token as people paste it. A self-signed certificate is recognized by its pin. */
export function tokenFor(secret: string, url: string, { keyPin }: JoinAddress): string {
  return keyPin !== null && url.startsWith('https:') ? `${secret}.${keyPin}` : secret;
}
