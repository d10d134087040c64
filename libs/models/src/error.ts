/** A fit, a model document or a prediction is not possible. The message says what to do. */
export class ModelError extends Error {
  override readonly name = 'ModelError';

  constructor(
    readonly code: 'no-samples' | 'bad-sample' | 'bad-option' | 'unknown-form' | 'bad-document' | 'bad-spec',
    message: string,
  ) {
    super(message);
  }
}
