export type StoreErrorCode =
  'already-exists' | 'conflict' | 'not-found' | 'bad-cursor' | 'in-use' | 'unavailable' | 'corrupt';

export class StoreError extends Error {
  constructor(
    readonly code: StoreErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'StoreError';
  }
}
