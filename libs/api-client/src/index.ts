import createClient, { type Client } from 'openapi-fetch';
import type { components, paths } from './generated/schema.js';

export type { components, paths };
export type ApiClient = Client<paths>;
type Problem = components['schemas']['Problem'];

/** The coordinator refused a request or could not be reached. `code` is stable, `message` is readable text. */
export class ApiError extends Error {
  constructor(
    /** HTTP status; 0 when there was no answer. */
    readonly status: number,
    readonly code: string,
    message: string,
    readonly problem: Problem | null = null,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'ApiError';
  }
}

export interface ClientOptions {
  /** Address of the coordinator, for example `http://127.0.0.1:8080`. */
  url: string;
  /** Bearer token. */
  token?: string | undefined;
  fetch?: typeof globalThis.fetch;
}

/** A typed client of the API. Every failed call rejects with `ApiError`, so a resolved call always has `data`. */
export function createApiClient({ url, token, fetch = globalThis.fetch }: ClientOptions): ApiClient {
  const client = createClient<paths>({
    baseUrl: url.replace(/\/+$/, ''),
    ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
    fetch: async (request) => {
      try {
        return await fetch(request);
      } catch (cause) {
        if (cause instanceof ApiError) throw cause;
        throw new ApiError(0, 'unreachable', `No coordinator answers at ${url}. Is it running?`, null, {
          cause,
        });
      }
    },
  });
  client.use({
    async onResponse({ response }) {
      if (!response.ok) throw await errorOf(response);
    },
  });
  return client;
}

async function errorOf(response: Response): Promise<ApiError> {
  const text = await response.text();
  try {
    const problem = JSON.parse(text) as Problem;
    return new ApiError(response.status, problem.code, problem.detail, problem);
  } catch {
    return new ApiError(
      response.status,
      'not-a-coordinator',
      `The server answered ${response.status} without a reason. Is it a coordinator?`,
    );
  }
}
