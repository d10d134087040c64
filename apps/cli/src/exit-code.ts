import { ApiError } from '@alphaflops/api-client';
import { CommanderError } from 'commander';
import { CliError } from './error.js';

/** 0 done, 1 failed, 2 wrong usage or bad input. Scripts rely on these. */
export const EXIT = { done: 0, failed: 1, wrong: 2 } as const;

/** The shell's convention for a program that a signal has ended: 128 and the number of the signal. */
export const EXIT_BY_SIGNAL: Readonly<Partial<Record<NodeJS.Signals, number>>> = {
  SIGHUP: 129,
  SIGINT: 130,
  SIGQUIT: 131,
  SIGKILL: 137,
  SIGTERM: 143,
};

/** By name: for their classes all libraries would have to be loaded, by every command. */
const BAD_INPUT = ['DatasetError', 'PlanError', 'ModelError', 'ConfigError'];
/** What the coordinator says when the request itself is wrong. */
const BAD_REQUEST = [400, 404, 413, 422];

export function exitCodeOf(error: unknown): number {
  // Commander ends with 0 after --help and --version, and with 1 after anything that it did not understand.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.wrong;
  if (error instanceof CliError) return error.code === 'failed' ? EXIT.failed : EXIT.wrong;
  if (error instanceof ApiError) return BAD_REQUEST.includes(error.status) ? EXIT.wrong : EXIT.failed;
  return error instanceof Error && BAD_INPUT.includes(error.name) ? EXIT.wrong : EXIT.failed;
}
