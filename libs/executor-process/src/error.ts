/**
 * `refused`: the program reports that it cannot do it. `ended`: it has ended. `time-limit`: it did not answer in time.
 * `garbage`: its output is not a line of the protocol. All except `refused` end the program.
 */
export type ProgramErrorCode = 'refused' | 'ended' | 'time-limit' | 'garbage';

/** An external program did not follow the protocol. The message has an excerpt of its output. */
export class ProgramError extends Error {
  constructor(
    readonly code: ProgramErrorCode,
    message: string,
  ) {
    super(message);
    this.name = 'ProgramError';
  }
}
