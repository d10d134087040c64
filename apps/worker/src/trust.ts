import { errorText } from '@alphaflops/contracts';
import { wrongSchemeOf } from '@alphaflops/api-client/scheme-check';
import { presentedCertificate, trustingFetch } from '@alphaflops/api-client/trusting-fetch';
import { ConfigError, type Proxies, type Trust, trustIn, trustInKey } from '@alphaflops/config';
import { WorkerError } from './error.js';

/** How this machine recognizes its coordinator. */
export interface CoordinatorTrust {
  readonly coordinatorUrl: string;
  /** Certificates in PEM to trust in addition to those of Node. */
  readonly ca: string | null;
  /** Pin of the coordinator's public key: with it nothing else is trusted. */
  readonly pin: string | null;
}

/** A `fetch` that checks the identity of the coordinator and uses the proxies of this machine. */
export function fetchFrom(coordinator: CoordinatorTrust, proxies: Proxies | null): typeof fetch {
  const { coordinatorUrl, ca, pin } = coordinator;
  if (pin !== null && coordinatorUrl.startsWith('https:')) {
    return trustingFetch(() => trustInPin(coordinatorUrl, pin, proxies), proxies);
  }
  if (ca === null && proxies === null) return fetch;
  return trustingFetch(ca === null ? {} : trustIn(ca), proxies);
}

async function trustInPin(url: string, pin: string, proxies: Proxies | null): Promise<Trust> {
  return trustInKey(await presentedCertificate(url, proxies), pin);
}

/**
 * The coordinator's certificate in PEM, for connections without HTTP.
 * @throws WorkerError `bad-answer` when the server has another key, `unreachable`
 */
export async function certificateWith(
  pin: string,
  url: string,
  proxies: Proxies | null,
): Promise<string | null> {
  if (!url.startsWith('https:')) return null;
  try {
    return (await trustInPin(url, pin, proxies)).ca[0] ?? null;
  } catch (cause) {
    if (cause instanceof ConfigError) throw new WorkerError('bad-answer', cause.message, { cause });
    throw await unreachable(url, cause);
  }
}

/** The error for a coordinator that did not answer. It names a wrong scheme in the URL. */
export async function unreachable(url: string, cause: unknown): Promise<WorkerError> {
  const wrongScheme = await wrongSchemeOf(url, cause);
  return wrongScheme === null
    ? notAnswering(url, cause)
    : new WorkerError('unreachable', wrongScheme, { cause });
}

/** The same without a check of the scheme, which needs another connection. */
export function notAnswering(url: string, cause: unknown): WorkerError {
  // fetch itself says "fetch failed"; what failed is in its cause.
  const why = errorText((cause as { cause?: unknown }).cause ?? cause);
  return new WorkerError('unreachable', `The coordinator at ${url} does not answer (${why}).`, { cause });
}
