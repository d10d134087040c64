export type MeasureErrorCode = 'unknown-protocol' | 'invalid-time';

/** A mistake of a caller or an executor. A spec that cannot be measured is not an error: it gets an outcome. */
export class MeasureError extends Error {
  constructor(
    readonly code: MeasureErrorCode,
    message: string,
  ) {
    super(message);
    this.name = 'MeasureError';
  }
}
