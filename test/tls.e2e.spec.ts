import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createApiClient } from '@alphaflops/api-client';
import { trustingFetch } from '@alphaflops/api-client/trusting-fetch';
import { trustIn } from '@alphaflops/config';
import { Redis } from 'ioredis';
import { end, until } from './support/stack.js';

const root = resolve(import.meta.dirname, '..');
const CLI = join(root, 'apps/cli/bin/alphaflops.js');
const COORDINATOR = join(root, 'apps/coordinator/dist/main.js');
const WORKER = join(root, 'apps/worker/dist/main.js');

let directory: string;
let cert: string;
let key: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'alphaflops-tls-'));
  [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  // Of a name that nobody here is reached by: the certificate is trusted because it is known.
  execFileSync(
    'openssl',
    [
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
      ],
      ...['-subj', '/CN=alphaflops.test', '-addext', 'subjectAltName=DNS:alphaflops.test'],
      ...['-keyout', key, '-out', cert],
    ],
    { stdio: 'pipe' },
  );
});
afterAll(async () => {
  await Promise.all(children.map((child) => end(child, 'SIGTERM')));
  await rm(directory, { recursive: true });
}, 60_000);

function start(program: string, args: string[], env: Record<string, string> = {}) {
  const child = fork(program, args, {
    cwd: directory,
    silent: true,
    env: { PATH: process.env['PATH'] ?? '', HOME: directory, ...env },
  });
  children.push(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (piece: Buffer) => (text += piece.toString()));
  }
  return { child, output: () => text };
}

async function finished(program: string, args: string[], env: Record<string, string> = {}) {
  const { child, output } = start(program, args, env);
  const [exitCode] = (await once(child, 'close')) as [number];
  return { exitCode, output: output() };
}

describe('an address that others can reach', () => {
  it.each([
    ['the coordinator', COORDINATOR, [], { ALPHAFLOPS_HOST: '0.0.0.0', REDIS_URL: 'redis://127.0.0.1:1' }],
    ['up', CLI, ['up', '--host', '0.0.0.0', '--port', '0', '--data-dir', 'refused'], {}],
    ['up, by IPv6', CLI, ['up', '--host', '::', '--port', '0', '--data-dir', 'refused'], {}],
  ])('is refused without TLS by %s, with what to do', async (_what, program, args, env) => {
    const { exitCode, output } = await finished(program, args, env);
    expect(output).toMatch(
      /Without TLS nothing listens on .*--tls-cert.*--insecure \(ALPHAFLOPS_INSECURE=true\)/,
    );
    expect(exitCode).toBeGreaterThan(0);
  });

  it('needs certificate and key together, and both readable', async () => {
    const half = await finished(CLI, ['up', '--port', '0', '--tls-cert', cert, '--data-dir', 'refused']);
    expect(half.output).toContain('ALPHAFLOPS_TLS_CERT and ALPHAFLOPS_TLS_KEY go together');
    const missing = ['--tls-cert', 'nowhere.pem', '--tls-key', key, '--data-dir', 'refused'];
    expect((await finished(CLI, ['up', '--port', '0', ...missing])).output).toMatch(
      /Cannot read .*nowhere\.pem/,
    );
  });
});

describe('with TLS', () => {
  it('up, its Redis, the command line and a worker talk with each other, and nobody else gets in', async () => {
    const data = join(directory, 'data');
    const args = ['--port', '0', '--data-dir', data, '--no-worker', '--tls-cert', cert, '--tls-key', key];
    const up = start(CLI, ['up', ...args]);
    await until(
      () => Promise.resolve(up.output()),
      (text) => text.includes('Ctrl-C stops it.') || up.child.exitCode !== null,
    );
    const { url, token } = JSON.parse(await readFile(join(data, 'cli.json'), 'utf8')) as Record<
      string,
      string
    >;
    expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(up.output()).toMatch(/worker join https:\/\/\S+ --token \S+ --ca \S+cert\.pem/);
    const fetch = trustingFetch(trustIn(await readFile(cert, 'utf8')));
    const api = createApiClient({ url: url ?? '', token, fetch });
    const health = await fetch(`${url ?? ''}/readyz`);
    expect(await health.json()).toMatchObject({ status: 'ok' });
    expect(health.headers.get('strict-transport-security')).toMatch(/max-age=\d+/);

    const { data: made } = await api.POST('/v1/join-tokens', { body: { maxUses: 2 } });
    const credentials = join(directory, 'worker.json');
    const joining = [
      'join',
      url ?? '',
      '--token',
      made?.token ?? '',
      '--executor',
      'fake',
      '--credentials',
      credentials,
    ];
    const stranger = await finished(WORKER, joining);
    expect([stranger.exitCode, stranger.output]).toEqual([1, expect.stringMatching(/certificate/)]);
    expect(await finished(WORKER, [...joining, '--ca', cert])).toMatchObject({ exitCode: 0 });
    const worker = start(WORKER, ['run', '--credentials', credentials]);
    await until(
      () => Promise.resolve(worker.output()),
      (text) => text.includes('taking batches') || worker.child.exitCode !== null,
    );
    const { data: classes } = await api.GET('/v1/device-classes');
    const campaign = await finished(CLI, [
      ...['campaign', 'create', '--name', 'by TLS', '--design', 'networklike', '--budget', '4'],
      ...['--target', classes?.items[0]?.id ?? '', '--data-dir', data, '--watch'],
    ]);
    expect(campaign.output).toMatch(/4\/4/);

    const { port, password } = JSON.parse(await readFile(join(data, 'redis/private-redis.json'), 'utf8')) as {
      port: number;
      password: string;
    };
    const plain = new Redis({ port, password, lazyConnect: true, retryStrategy: () => null });
    plain.on('error', () => undefined);
    await expect(plain.connect()).rejects.toThrow();
    plain.disconnect();
    await expect(globalThis.fetch((url ?? '').replace('https', 'http') + '/healthz')).rejects.toThrow();
    await expect(globalThis.fetch(`${url ?? ''}/healthz`)).rejects.toThrow();
    expect((await finished(CLI, ['worker', 'list', '--data-dir', data])).output).toContain('online');
  }, 120_000);
});
