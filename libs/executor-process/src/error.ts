/**
 * `refused`: the program says that it cannot. `ended`: it is gone. `time-limit`: it did not answer in time.
 * `garbage`: what it wrote is no line of the protocol. Whatever but `refused` ends the program.
 */
export type ProgramErrorCode = 'refused' | 'ended' | 'time-limit' | 'garbage';

/** An external program did not do what the protocol asks. The message carries an excerpt of what it wrote. */
export class ProgramError extends Error {
  constructor(
    readonly code: ProgramErrorCode,
    message: string,
  ) {
    super(message);
    this.name = 'ProgramError';
  }
}
