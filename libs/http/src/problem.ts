import type { Problem } from '@alphaflops/contracts';

/** A refusal that the client gets. `code` is stable: clients may branch on it. */
export class ApiProblem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly errors?: Problem['errors'],
  ) {
    super(detail);
    this.name = 'ApiProblem';
  }
}

export function notFound(what: string, id: string): ApiProblem {
  return new ApiProblem(404, 'not-found', `There is no ${what} ${JSON.stringify(id)}.`);
}

/** Codes of the libraries' error classes, and what they are over HTTP. Anything else is a 500. */
const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  'already-exists': 409,
  conflict: 409,
  'not-found': 404,
  'bad-cursor': 400,
  unavailable: 503,
  'redis-unreachable': 503,
};

/** Status for an error of a library, by its `code`; null when it is nobody's business but ours. */
export function statusOf(error: unknown): { status: number; code: string; detail: string } | null {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return null;
  const status = STATUS_BY_CODE[error.code];
  return status === undefined ? null : { status, code: error.code, detail: error.message };
}
