import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { written } from './first-words.spec-helper.js';

const program = resolve(import.meta.dirname, '../bin/alphaflops.js');
const missing = [
  ...(existsSync(resolve(import.meta.dirname, '../dist/main.js')) ? [] : ['a build: npm run build']),
  ...(hasRedis() ? [] : ['redis-server']),
];
const needed = missing.length === 0 ? describe : describe.skip;

function hasRedis(): boolean {
  try {
    execFileSync('redis-server', ['--version']);
    return true;
  } catch {
    return false;
  }
}

/** Processes that have this directory in their command line or were started by `pid`. */
function childrenOf(pid: number): { pid: number; command: string }[] {
  const listed = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' }).trim().split('\n');
  return listed
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .filter((match) => Number(match?.[2]) === pid && !/ps -eo|<defunct>/.test(match?.[3] ?? ''))
    .map((match) => ({ pid: Number(match?.[1]), command: match?.[3] ?? '' }));
}

function isAlive(pid: number): boolean {
  return execFileSync('ps', ['-eo', 'pid=,stat='], { encoding: 'utf8' })
    .split('\n')
    .some((line) => new RegExp(`^\\s*${pid}\\s+[^Z]`).test(line));
}

async function gone(...pids: number[]): Promise<void> {
  while (pids.some(isAlive)) await new Promise((resolve) => setTimeout(resolve, 50));
}

function redisOf(pid: number): number {
  const redis = childrenOf(pid).find(({ command }) => command.includes('redis-server'));
  if (redis === undefined) throw new Error('there is no private Redis');
  return redis.pid;
}

/** Each program closes for 5 s at most; the rest is for a busy machine. */
const WITHIN_MS = 10_000;

needed(`up (skipped without ${missing.join(', ')})`, () => {
  let directory: string;
  const running: ChildProcess[] = [];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'alphaflops-up-'));
  });
  afterEach(async () => {
    for (const child of running.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    await rm(directory, { recursive: true });
  });

  function up(): { child: ChildProcess; pid: number; said: (text: string) => Promise<string> } {
    const child = spawn(process.execPath, [program, 'up', '--port', '0', '--data-dir', directory]);
    running.push(child);
    return { child, pid: child.pid ?? 0, said: written(child) };
  }

  it('enrols this machine, keeps its children, and stops everything', async () => {
    const first = up();
    const output = await first.said('Ctrl-C stops it.');
    expect(output).toContain(`SQLite, ${join(directory, 'alphaflops.sqlite')}`);
    const code = /Sign-in link +http:\/\/\S+\/#\/sign-in\/(\S+)/.exec(output)?.[1] ?? '';
    expect(output).toMatch(/Join line +curl -fsS http:\/\/\S+\/join\.sh \| sh -s -- af_join_/);
    const kept = JSON.parse(await readFile(join(directory, 'cli.json'), 'utf8')) as {
      url: string;
      token: string;
    };
    expect(output).toContain(kept.token);
    expect((await stat(join(directory, 'cli.json'))).mode & 0o777).toBe(0o600);
    const answer = await fetch(`${kept.url}/v1/workers`, {
      headers: { authorization: `Bearer ${kept.token}` },
    });
    expect(await answer.json()).toMatchObject({ items: [{ desiredState: 'active' }] });
    const signIn = () =>
      fetch(`${kept.url}/v1/sessions`, { method: 'POST', headers: { authorization: `Bearer ${code}` } });
    expect(await (await signIn()).json()).toMatchObject({ role: 'admin', token: expect.any(String) });
    expect((await signIn()).status).toBe(401);
    expect(await readFile(join(directory, 'coordinator.log'), 'utf8')).not.toContain(code);

    const second = spawn(process.execPath, [program, 'up', '--data-dir', directory]);
    let refusal = '';
    second.stderr.on('data', (piece: Buffer) => (refusal += piece.toString()));
    expect(await once(second, 'close')).toEqual([1, null]);
    expect(refusal).toContain(`in use by another "alphaflops up" (process ${first.pid})`);

    const coordinator = childrenOf(first.pid).find(({ command }) => command.includes('coordinator'));
    process.kill(coordinator?.pid ?? 0, 'SIGKILL');
    await first.said('The coordinator was ended by SIGKILL; it is started again');

    const children = childrenOf(first.pid);
    first.child.kill('SIGTERM');
    expect(await once(first.child, 'exit')).toEqual([0, null]);
    expect(await first.said('Stopped.')).toContain('Stopping the worker.');
    expect(children.length).toBeGreaterThanOrEqual(2);
    expect(children.filter(({ pid }) => isAlive(pid))).toEqual([]);
  }, 60_000);

  it('leaves no coordinator and no worker after SIGKILL, although Redis does not answer, and starts again with its data', async () => {
    const first = up();
    await first.said('Ctrl-C stops it.');
    const redisPid = redisOf(first.pid);
    process.kill(redisPid, 'SIGSTOP');
    const children = childrenOf(first.pid).filter(({ command }) => command.includes('dist/main.js'));
    expect(children).toHaveLength(2);
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');
    const killedMs = Date.now();
    await gone(...children.map(({ pid }) => pid));
    expect(Date.now() - killedMs).toBeLessThan(WITHIN_MS);
    process.kill(redisPid, 'SIGCONT');

    const second = up();
    const output = await second.said('Ctrl-C stops it.');
    expect(output).not.toContain('Admin token');
    const { url, token } = JSON.parse(await readFile(join(directory, 'cli.json'), 'utf8')) as Record<
      string,
      string
    >;
    const answer = await fetch(`${url}/v1/workers`, { headers: { authorization: `Bearer ${token}` } });
    expect(((await answer.json()) as { items: unknown[] }).items).toHaveLength(1);
  }, 60_000);

  it('ends after the end of the npx that started it, although Redis does not answer, and also ends Redis', async () => {
    const args = [program, 'up', '--no-worker', '--port', '0', '--data-dir', directory];
    // npx starts programs through a shell, which passes no signal on.
    const launcher = spawn('/bin/sh', ['-c', '"$0" "$@"; true', process.execPath, ...args], {
      env: { ...process.env, npm_command: 'exec' },
    });
    running.push(launcher);
    const said = written(launcher);
    await said('Ctrl-C stops it.');
    const [up] = childrenOf(launcher.pid ?? 0);
    const redisPid = redisOf(up?.pid ?? 0);
    process.kill(redisPid, 'SIGSTOP');
    launcher.kill('SIGKILL');
    await once(launcher, 'exit');
    const killedMs = Date.now();
    await gone(up?.pid ?? 0, redisPid);
    expect(Date.now() - killedMs).toBeLessThan(2 * WITHIN_MS);
  }, 60_000);
});
