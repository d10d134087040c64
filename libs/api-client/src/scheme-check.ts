import { connect } from 'node:tls';
import { ApiError } from './index.js';

const HANDSHAKE_LIMIT_MS = 2_000;
/** What OpenSSL makes of an answer that is plain HTTP. */
const NOT_TLS = ['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG', 'EPROTO'];

/**
 * The same `fetch`, which says so in one sentence when a port speaks http and the URL says https, or the reverse.
 * @throws ApiError `wrong-scheme`, else what `fetch` throws
 */
export function withSchemeCheck(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  return async (input, init) => {
    try {
      return await fetch(input, init);
    } catch (error) {
      const { protocol, host, hostname, port } = new URL(input instanceof Request ? input.url : input);
      if (protocol === 'https:' && codesOf(error).some((code) => NOT_TLS.includes(code))) {
        throw wrongScheme(host, 'http', 'https', error);
      }
      if (
        protocol === 'http:' &&
        !codesOf(error).includes('ECONNREFUSED') &&
        (await speaksTls(hostname, port))
      ) {
        throw wrongScheme(host, 'https', 'http', error);
      }
      throw error;
    }
  };
}

function wrongScheme(host: string, spoken: string, asked: string, cause: unknown): ApiError {
  const message = `${host} speaks ${spoken}, not ${asked}: use ${spoken}://${host}.`;
  return new ApiError(0, 'wrong-scheme', message, null, { cause });
}

/** Codes of an error and of what caused it. */
function codesOf(error: unknown): string[] {
  if (typeof error !== 'object' || error === null) return [];
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  return [...(typeof code === 'string' ? [code] : []), ...codesOf(cause)];
}

/** Shakes hands and sends nothing; whom the certificate names does not matter for that. */
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
