import { ExecutorError, type Executor, type ExecutorSettings } from '@alphaflops/executor';
import { parseArgsStringToArgv } from 'string-argv';
import { z } from 'zod';
import { ProcessExecutor } from './process-executor.js';

export { ProgramError, type ProgramErrorCode } from './error.js';
export { PROCESS_PROTOCOL, protocolJsonSchema } from './protocol.js';

export const PROCESS_EXECUTORS = ['process'] as const;

const SettingsSchema = z.strictObject({
  /** The program and its arguments in one text; words in quotes may contain spaces. No shell reads it. */
  command: z.string('none was given').trim().min(1, 'it is empty'),
  /** Time limit of one request. A measurement has a limit of its own, which its host applies. */
  requestLimitMs: z.int().min(1).default(3_600_000),
});

/** `@alphaflops/executor` calls it. Throws `ExecutorError`: `unknown-executor`, `bad-settings`. */
export function createExecutor(name: string, settings: ExecutorSettings = {}): Executor {
  if (name !== 'process') {
    throw new ExecutorError(
      'unknown-executor',
      `there is no executor "${name}" in @alphaflops/executor-process; it has process`,
    );
  }
  const parsed = SettingsSchema.safeParse(settings);
  if (!parsed.success) {
    throw new ExecutorError(
      'bad-settings',
      'executor process needs a program: alphaflops worker join --process-command "PROGRAM ARGUMENTS" ' +
        `(${parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')})`,
    );
  }
  const { command, requestLimitMs } = parsed.data;
  return new ProcessExecutor(parseArgsStringToArgv(command), requestLimitMs);
}
