export type CliErrorCode = 'usage' | 'bad-input' | 'failed';

/** A message for the user: what is wrong, where, and what to do, in one or two sentences. */
export class CliError extends Error {
  override readonly name = 'CliError';

  constructor(
    readonly code: CliErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
