import type { X509Certificate } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import type { Dispatcher, RequestInit as InitBy } from 'undici';

/** Proxies for http and https URLs; null for a scheme without a proxy. */
export interface FetchProxies {
  /** For http URLs, such as http://proxy:3128. */
  readonly httpProxy: string | null;
  /** For https URLs, through CONNECT. */
  readonly httpsProxy: string | null;
  /** Hosts without a proxy, separated by commas. This machine never uses a proxy. */
  readonly noProxy: string;
}

const THIS_MACHINE = 'localhost,127.0.0.1,[::1]';

/**
 * Returns a `fetch` with its own trusted certificates and proxies. The `fetch` of Node 20 supports neither.
 * @param trust options of the TLS client, such as `ca`, or a function that returns them. The function is called
 * before the first request, and again when the server was not trusted
 */
export function trustingFetch(
  trust: ConnectionOptions | (() => Promise<ConnectionOptions>),
  proxies: FetchProxies | null = null,
): typeof globalThis.fetch {
  let dispatcher: Promise<Dispatcher> | undefined;
  const findOut = typeof trust === 'function' ? trust : () => Promise.resolve(trust);
  const trusting = async (input: Request | URL | string, init: RequestInit = {}): Promise<unknown> => {
    const { url, options } = input instanceof Request ? ofRequest(input) : { url: input, options: {} };
    // Loading the package takes 0.1 s, and most programs that import this file do not need it.
    const { default: undici } = await import('undici');
    dispatcher ??= findOut().then((found) => dispatcherOf(found, proxies));
    const used = dispatcher;
    let reached: Dispatcher | undefined;
    try {
      reached = await used;
      return await undici.fetch(url, { ...options, ...(init as InitBy), dispatcher: reached });
    } catch (error) {
      // The server may have a new certificate with the same key.
      if (dispatcher === used && (reached === undefined || isDistrust(error))) {
        dispatcher = undefined;
        // Requests in progress can finish.
        void reached?.close();
      }
      throw error;
    }
  };
  // The responses come from the package, not from Node. They behave the same.
  return trusting as typeof globalThis.fetch;
}

/**
 * Returns the certificate that a server presents, without checking it. The caller must compare its key with a known
 * key.
 * @param url https address of the server
 * @throws TypeError when the server does not answer, Error when it does not speak TLS
 */
export async function presentedCertificate(
  url: string,
  proxies: FetchProxies | null = null,
): Promise<X509Certificate> {
  const { default: undici } = await import('undici');
  const dispatcher = await dispatcherOf({ rejectUnauthorized: false }, proxies);
  const { host } = new URL(url);
  let presented: X509Certificate | undefined;
  const onConnected = (message: unknown): void => {
    const { connectParams, socket } = message as {
      connectParams: { host: string };
      socket: Partial<TLSSocket>;
    };
    if (connectParams.host === host) presented ??= socket.getPeerX509Certificate?.();
  };
  subscribe('undici:client:connected', onConnected);
  try {
    // Send no secret, because the server is not verified yet.
    await undici.fetch(url, {
      method: 'HEAD',
      redirect: 'manual',
      dispatcher,
      signal: AbortSignal.timeout(15_000),
    });
  } finally {
    unsubscribe('undici:client:connected', onConnected);
    await dispatcher.destroy();
  }
  if (presented === undefined) throw new Error(`${host} does not present a certificate.`);
  return presented;
}

async function dispatcherOf(tls: ConnectionOptions, proxies: FetchProxies | null): Promise<Dispatcher> {
  const { default: undici } = await import('undici');
  if (proxies === null) return new undici.Agent({ connect: tls });
  for (const proxy of [proxies.httpProxy, proxies.httpsProxy]) {
    if (proxy !== null && !/^https?:\/\/./.test(proxy)) {
      throw new Error(
        'HTTP_PROXY and HTTPS_PROXY must look like http://host:3128: other kinds of proxies are not supported.',
      );
    }
  }
  return new undici.EnvHttpProxyAgent({
    connect: tls,
    requestTls: tls,
    // An empty text means no proxy. If the option is missing, the package reads the environment.
    httpProxy: proxies.httpProxy ?? '',
    httpsProxy: proxies.httpsProxy ?? '',
    noProxy: `${proxies.noProxy},${THIS_MACHINE}`,
  });
}

/** Whether a request has failed because the server was not trusted. */
function isDistrust(error: unknown): boolean {
  const { code } = (error as { cause?: { code?: unknown } }).cause ?? {};
  return typeof code === 'string' && /CERT|SIGNATURE|ERR_TLS/.test(code);
}

/** Converts the arguments, because the package does not accept a Request of Node. */
function ofRequest(request: Request): { url: string; options: InitBy } {
  const { url, method, headers, body, redirect, signal } = request;
  const options = { method, headers: [...headers], redirect, signal };
  return {
    url,
    options: body === null ? options : { ...options, body: body as InitBy['body'] & object, duplex: 'half' },
  };
}
