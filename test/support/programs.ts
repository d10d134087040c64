import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { end } from './stack.js';
import { TEST_DOUBLES } from './test-doubles.js';

const root = resolve(import.meta.dirname, '../..');
export const CLI = join(root, 'apps/cli/bin/alphaflops.js');
export const COORDINATOR = join(root, 'apps/coordinator/dist/main.js');
export const WORKER = join(root, 'apps/worker/dist/main.js');

/** Programs of the build in a separate folder. They get only PATH from the environment of this process. */
export class Programs {
  private readonly children: { child: ChildProcess; output: () => string }[] = [];

  private constructor(readonly directory: string) {}

  static async in(name: string): Promise<Programs> {
    return new Programs(await mkdtemp(join(tmpdir(), `alphaflops-${name}-`)));
  }

  /** Creates a self-signed certificate for a name that no server here has. Clients trust it because they know it. */
  certificate(): { cert: string; key: string } {
    const [cert, key] = [join(this.directory, 'cert.pem'), join(this.directory, 'key.pem')];
    const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const named = ['-subj', '/CN=alphaflops.test', '-addext', 'subjectAltName=DNS:alphaflops.test'];
    execFileSync('openssl', [...made, '-days', '2', ...named, '-keyout', key, '-out', cert], {
      stdio: 'pipe',
    });
    return { cert, key };
  }

  start(program: string, args: string[], env: Record<string, string> = {}) {
    const child = fork(program, args, {
      cwd: this.directory,
      silent: true,
      env: { PATH: process.env['PATH'] ?? '', HOME: this.directory, ...TEST_DOUBLES, ...env },
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (piece: Buffer) => (text += piece.toString()));
    }
    const running = { child, output: () => text };
    this.children.push(running);
    return running;
  }

  async finished(program: string, args: string[], env: Record<string, string> = {}) {
    const { child, output } = this.start(program, args, env);
    const [exitCode] = (await once(child, 'close')) as [number];
    return { exitCode, output: output() };
  }

  /** Returns the output of all programs. */
  get outputs(): string[] {
    return this.children.map(({ output }) => output());
  }

  async stop(): Promise<void> {
    await Promise.all(this.children.map(({ child }) => end(child, 'SIGTERM')));
    await rm(this.directory, { recursive: true });
  }
}
