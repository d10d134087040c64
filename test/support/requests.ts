import { randomBytes } from 'node:crypto';
import { WORKER_PROTOCOL_VERSION } from '@alphaflops/contracts';
import type { Stack } from './stack.js';

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** Undefined if the body is not JSON. */
  body: unknown;
}

/** Sends one request to the coordinator of a stack. A string is sent unchanged. */
export async function request(
  stack: Stack,
  method: string,
  path: string,
  options: { body?: unknown; token?: string | null; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const { body, token = stack.token, headers = {} } = options;
  const answer = await fetch(stack.url + path, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text, body: parsed(text) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Enrols a worker that consists only of requests. */
export function enrolment(name = 'n', uuid = 'u-1') {
  return {
    name,
    version: '1',
    protocolVersion: WORKER_PROTOCOL_VERSION,
    // A new key, because the id of a worker follows from its key.
    publicKey: randomBytes(32).toString('base64url'),
    devices: [
      {
        uuid,
        sku: 'Test device',
        kind: 'cpu',
        executor: 'fake',
        memoryBytes: 1e9,
        smCount: null,
        provenance: {
          schema: 'alphaflops.provenance/1',
          device: {},
          executor: { name: 'fake', version: '1' },
          libraries: {},
          mathMode: 'none',
          worker: { version: '1', commit: null, dirty: null },
          host: { hostname: 'h', cpu: 'c', os: 'o', kernel: 'k', node: 'n' },
        },
      },
    ],
  };
}
