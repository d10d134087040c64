export type MeasureErrorCode = 'unknown-protocol' | 'invalid-time';

/** A caller's or an executor's mistake. What happens to a spec is never an error: it is an outcome. */
export class MeasureError extends Error {
  constructor(
    readonly code: MeasureErrorCode,
    message: string,
  ) {
    super(message);
    this.name = 'MeasureError';
  }
}
