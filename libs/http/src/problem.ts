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

/** What the codes of an error class are over HTTP. A code that is not in it is a 500. */
const STATUS_OF_STORE: Readonly<Partial<Record<StoreErrorCode, number>>> = {
  'already-exists': 409,
  conflict: 409,
  'not-found': 404,
  'bad-cursor': 400,
  unavailable: 503,
};
const STATUS_OF_QUEUE: Readonly<Partial<Record<QueueErrorCode, number>>> = { 'redis-unreachable': 503 };

/** The answer to an error of a library that clients may know about; null for any other. */
export function statusOf(error: unknown): { status: number; code: string; detail: string } | null {
  let status: number | undefined;
  if (error instanceof StoreError) status = STATUS_OF_STORE[error.code];
  else if (error instanceof QueueError) status = STATUS_OF_QUEUE[error.code];
  else return null;
  return status === undefined ? null : { status, code: error.code, detail: error.message };
}
