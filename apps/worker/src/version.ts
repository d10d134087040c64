import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Provenance, VERSION } from '@alphaflops/contracts';

const run = promisify(execFile);

/** Version of this worker; commit and dirty flag if it runs from its own git checkout, otherwise null. */
export async function workerVersion(): Promise<Provenance['worker']> {
  const folder = fileURLToPath(new URL('..', import.meta.url));
  const git = async (...args: string[]) =>
    (await run('git', ['--no-optional-locks', '-C', folder, ...args], { timeout: 5_000 })).stdout.trim();
  try {
    // If the package is installed in another project, it is in a checkout that does not track it.
    await git('ls-files', '--error-unmatch', 'package.json');
    const commit = await git('rev-parse', 'HEAD');
    const changes = await git('status', '--porcelain', '--untracked-files=no');
    return { version: VERSION, commit, dirty: changes !== '' };
  } catch {
    return { version: VERSION, commit: null, dirty: null };
  }
}
