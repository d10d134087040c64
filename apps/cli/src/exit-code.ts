import { ApiError } from '@alphaflops/api-client';
// Import each error from its own file, because imports of whole packages would make the start of every command slower.
import { ConfigError } from '@alphaflops/config/config-error';
import { DatasetError } from '@alphaflops/dataset/dataset-error';
import { ModelError } from '@alphaflops/models/error';
import { PlanError } from '@alphaflops/planning/plan-error';
import { CommanderError } from 'commander';
import { CliError } from './error.js';

/** 0: done. 1: failed. 2: wrong usage or bad input. Scripts rely on these. */
export const EXIT = { done: 0, failed: 1, wrong: 2 } as const;

/** The shell's convention for a program that a signal has ended: 128 and the number of the signal. */
export const EXIT_BY_SIGNAL: Readonly<Partial<Record<NodeJS.Signals, number>>> = {
  SIGHUP: 129,
  SIGINT: 130,
  SIGQUIT: 131,
  SIGKILL: 137,
  SIGTERM: 143,
};

const BAD_INPUT = [ConfigError, DatasetError, ModelError, PlanError];
/** HTTP status codes for an invalid request. */
const BAD_REQUEST = [400, 404, 413, 422];

export function exitCodeOf(error: unknown): number {
  // Commander's code is 0 after --help and --version, and 1 after wrong usage.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.wrong;
  if (error instanceof CliError) return error.code === 'failed' ? EXIT.failed : EXIT.wrong;
  if (error instanceof ApiError) return BAD_REQUEST.includes(error.status) ? EXIT.wrong : EXIT.failed;
  return BAD_INPUT.some((type) => error instanceof type) ? EXIT.wrong : EXIT.failed;
}
