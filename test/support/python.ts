import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export interface PythonForTests {
  readonly program: string;
  /** Why Python is missing; null if it exists. */
  readonly skip: string | null;
  /** Whether a package can be imported. If not, the tests that need it are skipped. */
  readonly has: (name: string) => boolean;
}

/** Python with the packages of `node tools/python-for-tests.mjs`, otherwise the Python of the machine. */
export function pythonForTests(): PythonForTests {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'alphaflops');
  const own = join(cache, 'python-for-tests/bin/python');
  const program = existsSync(own) ? own : 'python3';
  const can = (code: string) => spawnSync(program, ['-c', code], { stdio: 'ignore' }).status === 0;
  return {
    program,
    skip: can('') ? null : 'there is no python3',
    has: (name) => can(`import ${name}`),
  };
}
