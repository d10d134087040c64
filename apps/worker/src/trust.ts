import { presentedCertificate, trustingFetch } from '@alphaflops/api-client/trusting-fetch';
import { type Proxies, type Trust, trustIn, trustInKey } from '@alphaflops/config';

/** How this machine recognizes its coordinator. */
export interface CoordinatorTrust {
  readonly coordinatorUrl: string;
  /** Certificates in PEM to trust beside those that Node knows. */
  readonly ca: string | null;
  /** Pin of the coordinator's public key: with it nothing else is trusted. */
  readonly pin: string | null;
}

/** A `fetch` that talks to the given coordinator only if it is the right one, through the proxies of this machine. */
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

/** The coordinator's certificate in PEM, for what is reached without HTTP. */
export async function certificateWith(
  pin: string,
  url: string,
  proxies: Proxies | null,
): Promise<string | null> {
  return url.startsWith('https:') ? ((await trustInPin(url, pin, proxies)).ca[0] ?? null) : null;
}
