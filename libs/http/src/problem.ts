import type { Problem } from '@alphaflops/contracts';
import { QueueError, type QueueErrorCode } from '@alphaflops/queue';
import { StoreError, type StoreErrorCode } from '@alphaflops/store';

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

/** The HTTP statuses of the codes of an error class. Any other code is a 500. */
const STATUS_OF_STORE: Readonly<Partial<Record<StoreErrorCode, number>>> = {
  'already-exists': 409,
  conflict: 409,
  'not-found': 404,
  'bad-cursor': 400,
  unavailable: 503,
};
const STATUS_OF_QUEUE: Readonly<Partial<Record<QueueErrorCode, number>>> = { 'redis-unreachable': 503 };

/** The answer to a library error that clients may see; null for any other error. */
export function statusOf(error: unknown): { status: number; code: string; detail: string } | null {
  let status: number | undefined;
  if (error instanceof StoreError) status = STATUS_OF_STORE[error.code];
  else if (error instanceof QueueError) status = STATUS_OF_QUEUE[error.code];
  else return null;
  return status === undefined ? null : { status, code: error.code, detail: error.message };
}
