import { connect } from 'node:tls';
import { ApiError } from './index.js';

const HANDSHAKE_LIMIT_MS = 2_000;
/** The error of OpenSSL for an answer in plain HTTP. */
const NOT_TLS = ['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG', 'EPROTO'];

/**
 * Returns a `fetch` that reports in one sentence when a port speaks http and the URL has https, or the reverse.
 * @throws ApiError `wrong-scheme`, else what `fetch` throws
 */
export function withSchemeCheck(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  return async (input, init) => {
    try {
      return await fetch(input, init);
    } catch (cause) {
      const message = await wrongSchemeOf(input instanceof Request ? input.url : input, cause);
      if (message === null) throw cause;
      throw new ApiError(0, 'wrong-scheme', message, null, { cause });
    }
  };
}

/**
 * Returns one sentence if a request failed because the port speaks http and the URL has https, or the reverse.
 * Otherwise returns null.
 */
export async function wrongSchemeOf(url: string | URL, error: unknown): Promise<string | null> {
  const { protocol, host, hostname, port } = new URL(url);
  const codes = codesOf(error);
  const sentence = (spoken: string, requested: string) =>
    `${host} speaks ${spoken}, not ${requested}: use ${spoken}://${host}.`;
  if (protocol === 'https:')
    return codes.some((code) => NOT_TLS.includes(code)) ? sentence('http', 'https') : null;
  return !codes.includes('ECONNREFUSED') && (await speaksTls(hostname, port))
    ? sentence('https', 'http')
    : null;
}

/** Returns the codes of an error and of its causes. */
function codesOf(error: unknown): string[] {
  if (typeof error !== 'object' || error === null) return [];
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  return [...(typeof code === 'string' ? [code] : []), ...codesOf(cause)];
}

/** Tries a TLS handshake and sends no data. It does not check the certificate, which has no influence on the result. */
async function speaksTls(hostname: string, port: string): Promise<boolean> {
  return new Promise((resolve) => {
    const host = hostname.replace(/^\[|\]$/g, '');
    const socket = connect({ host, port: port === '' ? 80 : Number(port), rejectUnauthorized: false });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(HANDSHAKE_LIMIT_MS, () => {
      end(false);
    });
    socket.once('secureConnect', () => {
      end(true);
    });
    socket.once('error', () => {
      end(false);
    });
  });
}
