export type ExecutorErrorCode =
  | 'unknown-executor'
  | 'bad-settings'
  | 'unknown-device'
  | 'start-failed'
  | 'broken-installation'
  | 'not-built'
  | 'busy'
  | 'aborted'
  | 'closed';

/** The whole executor cannot be used. A failure of one spec is an outcome of its Measurement instead. */
export class ExecutorError extends Error {
  constructor(
    readonly code: ExecutorErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'ExecutorError';
  }
}
