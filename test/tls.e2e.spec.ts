import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createApiClient } from '@alphaflops/api-client';
import { trustingFetch } from '@alphaflops/api-client/trusting-fetch';
import { trustIn } from '@alphaflops/config';
import { Redis } from 'ioredis';
import { CLI, COORDINATOR, Programs, WORKER } from './support/programs.js';
import { until } from './support/stack.js';

let programs: Programs;
let cert: string;
let key: string;

beforeAll(async () => {
  programs = await Programs.in('tls');
  ({ cert, key } = programs.certificate());
});
afterAll(() => programs.stop(), 60_000);

describe('an address that others can reach', () => {
  it.each([
    ['the coordinator', COORDINATOR, [], { ALPHAFLOPS_HOST: '0.0.0.0', REDIS_URL: 'redis://127.0.0.1:1' }],
    ['up', CLI, ['up', '--host', '0.0.0.0', '--port', '0', '--data-dir', 'refused'], {}],
    ['up, by IPv6', CLI, ['up', '--host', '::', '--port', '0', '--data-dir', 'refused'], {}],
  ])('is refused without TLS by %s, with what to do', async (_what, program, args, env) => {
    const { exitCode, output } = await programs.finished(program, args, env);
    expect(output).toMatch(
      /Without TLS nothing listens on .*--tls-cert.*--insecure \(ALPHAFLOPS_INSECURE=true\)/,
    );
    expect(exitCode).toBeGreaterThan(0);
  });

  it('needs certificate and key together, and both readable', async () => {
    const half = await programs.finished(CLI, [
      'up',
      '--port',
      '0',
      '--tls-cert',
      cert,
      '--data-dir',
      'refused',
    ]);
    expect(half.output).toContain('ALPHAFLOPS_TLS_CERT and ALPHAFLOPS_TLS_KEY go together');
    const missing = ['--tls-cert', 'nowhere.pem', '--tls-key', key, '--data-dir', 'refused'];
    expect((await programs.finished(CLI, ['up', '--port', '0', ...missing])).output).toMatch(
      /Cannot read .*nowhere\.pem/,
    );
  });
});

describe('with TLS', () => {
  it('up, its Redis, the command line and a worker talk with each other, and nobody else gets in', async () => {
    const data = join(programs.directory, 'data');
    const args = ['--port', '0', '--data-dir', data, '--no-worker', '--tls-cert', cert, '--tls-key', key];
    const up = programs.start(CLI, ['up', ...args]);
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
    const credentials = join(programs.directory, 'worker.json');
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
    const stranger = await programs.finished(WORKER, joining);
    expect([stranger.exitCode, stranger.output]).toEqual([1, expect.stringMatching(/certificate/)]);
    expect(await programs.finished(WORKER, [...joining, '--ca', cert])).toMatchObject({ exitCode: 0 });
    const worker = programs.start(WORKER, ['run', '--credentials', credentials]);
    await until(
      () => Promise.resolve(worker.output()),
      (text) => text.includes('taking batches') || worker.child.exitCode !== null,
    );
    const { data: classes } = await api.GET('/v1/device-classes');
    const campaign = await programs.finished(CLI, [
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
    expect((await programs.finished(CLI, ['worker', 'list', '--data-dir', data])).output).toContain('online');
  }, 120_000);
});
