import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

const program = resolve(import.meta.dirname, '../bin/alphaflops.js');

(existsSync('/proc/self/limits') ? it : it.skip)(
  'says which limit of open files it needs (skipped without /proc)',
  () => {
    const run = (files: number) =>
      spawnSync(
        '/bin/sh',
        ['-c', `ulimit -n ${files}; exec "$0" "$@"`, process.execPath, program, '--version'],
        {
          encoding: 'utf8',
        },
      );
    expect(run(64)).toMatchObject({
      status: 1,
      stderr: 'This process may open 64 files, which is too few: raise the limit (ulimit -n 1024).\n',
    });
    expect(run(256)).toMatchObject({ status: 0, stderr: '' });
  },
);
