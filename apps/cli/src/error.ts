export type CliErrorCode = 'usage' | 'bad-input' | 'failed';

/** For the person at the terminal: what is wrong, where, and what to do, in one or two sentences. */
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

/** What an error says; a refused connection to several addresses says nothing in its own message. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join(', ');
  return error instanceof Error ? error.message || error.name : String(error);
}
