import { type Config, inUrl, isLoopback, publicHost } from '@alphaflops/config';
import type { ApiRequest } from '@alphaflops/http';

/** How machines that join reach the coordinator. */
export interface JoinAddress extends Pick<Config, 'host' | 'publicUrl'> {
  /** Pin of the coordinator's public key when its certificate signs itself, and nobody else ends TLS for it. */
  readonly keyPin: string | null;
}

/**
 * The coordinator's address for other machines: as it is set, else as the client has reached it. A client on this
 * machine has used the loopback address, which is of no use to others.
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

/** The token as people paste it: a certificate that signs itself is recognized by its pin. */
export function tokenFor(secret: string, url: string, { keyPin }: JoinAddress): string {
  return keyPin !== null && url.startsWith('https:') ? `${secret}.${keyPin}` : secret;
}
