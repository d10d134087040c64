export type WorkerErrorCode =
  | 'usage'
  | 'no-device'
  | 'device-in-use'
  | 'no-credentials'
  | 'bad-credentials'
  | 'bad-work-file'
  | 'credentials-in-use'
  | 'other-coordinator'
  | 'unreachable'
  | 'refused'
  | 'rejected'
  | 'lease-ended'
  | 'bad-answer'
  | 'cannot-add';

/** Message for the user of the worker: what is wrong, where, and what to do. Never contains a secret. */
export class WorkerError extends Error {
  constructor(
    readonly code: WorkerErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'WorkerError';
  }
}
