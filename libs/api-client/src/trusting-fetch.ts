import type { ConnectionOptions } from 'node:tls';
import type { Agent, RequestInit as InitBy } from 'undici';

/**
 * A `fetch` with its own idea of whom to believe, which the one of Node 20 cannot be told.
 * @param trust options of the TLS client, such as `ca`
 */
export function trustingFetch(trust: ConnectionOptions): typeof globalThis.fetch {
  let dispatcher: Agent | undefined;
  const trusting = async (input: Request | URL | string, init: RequestInit = {}): Promise<unknown> => {
    const { url, options } = input instanceof Request ? ofRequest(input) : { url: input, options: {} };
    // A tenth of a second that most who may need it, and have imported us, do without.
    const undici = await import('undici');
    dispatcher ??= new undici.Agent({ connect: trust });
    return undici.fetch(url, { ...options, ...init, dispatcher });
  };
  // Its answers are made by the package and not by Node; they do the same.
  return trusting as typeof globalThis.fetch;
}

/** The package does not know a Request of Node for one. */
function ofRequest(request: Request): { url: string; options: InitBy } {
  const { url, method, headers, body, redirect, signal } = request;
  const options = { method, headers: [...headers], redirect, signal };
  return {
    url,
    options: body === null ? options : { ...options, body: body as InitBy['body'] & object, duplex: 'half' },
  };
}
