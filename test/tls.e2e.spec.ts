import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createApiClient } from '@alphaflops/api-client';
import { trustingFetch } from '@alphaflops/api-client/trusting-fetch';
import { selfSignedPin, trustIn } from '@alphaflops/config';
import { connectProxy } from './support/connect-proxy.js';
import { CLI, COORDINATOR, Programs, WORKER } from './support/programs.js';
import { end, until } from './support/stack.js';

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
    [
      'the coordinator, by IPv6',
      COORDINATOR,
      [],
      { ALPHAFLOPS_HOST: '::', REDIS_URL: 'redis://127.0.0.1:1' },
    ],
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
  it('up, the command line and a worker communicate, and other clients are refused', async () => {
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
    expect(up.output()).toMatch(/curl -fsS -k --pinnedpubkey .* sh -s -- af_join_[\w-]{43}\.[\w-]{43}/);
    const fetch = trustingFetch(trustIn(await readFile(cert, 'utf8')));
    const api = createApiClient({ url: url ?? '', token, fetch });
    const health = await fetch(`${url ?? ''}/readyz`);
    expect(await health.json()).toMatchObject({ status: 'ok' });
    expect(health.headers.get('strict-transport-security')).toMatch(/max-age=\d+/);

    const { data: made } = await api.POST('/v1/join-tokens', { body: { maxUses: 2 } });
    const [secret = ''] = (made?.token ?? '').split('.');
    const credentials = join(programs.directory, 'worker.json');
    const joining = [
      'join',
      url ?? '',
      '--token',
      secret,
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

    // Redis is only for this machine.
    expect(await readFile(join(data, 'redis/redis.conf'), 'utf8')).toMatch(/^bind 127\.0\.0\.1$/m);
    await expect(globalThis.fetch((url ?? '').replace('https', 'http') + '/healthz')).rejects.toThrow();
    await expect(globalThis.fetch(`${url ?? ''}/healthz`)).rejects.toThrow();
    expect((await programs.finished(CLI, ['worker', 'list', '--data-dir', data])).output).toContain('online');
  }, 120_000);
});

it('a worker with the wrong scheme reports it in one sentence', async () => {
  const pem = { cert: await readFile(cert), key: await readFile(key) };
  const servers = [createHttpServer(), createHttpsServer(pem)];
  try {
    const [http = '', https = ''] = await Promise.all(
      servers.map(async (server) => {
        await once(server.listen(0, '127.0.0.1'), 'listening');
        return `127.0.0.1:${(server.address() as AddressInfo).port}`;
      }),
    );
    const join = async (url: string, token: string) => {
      const args = ['join', url, '--token', token, '--executor', 'fake', '--credentials', 'wrong.json'];
      const { exitCode, output } = await programs.finished(WORKER, args);
      return [exitCode, output.trim()];
    };
    const pinned = `af_join_${'a'.repeat(43)}.${'b'.repeat(43)}`;
    for (const token of ['af_join_x', pinned]) {
      const message = `${http} speaks http, not https: use http://${http}.`;
      expect(await join(`https://${http}`, token)).toEqual([1, message]);
    }
    const message = `${https} speaks https, not http: use https://${https}.`;
    expect(await join(`http://${https}`, 'af_join_x')).toEqual([1, message]);
  } finally {
    for (const server of servers) server.close();
  }
}, 60_000);

describe('up --host 0.0.0.0 without a certificate', () => {
  it('creates one and keeps it; nodes recognize it by the pin in their token, also through a proxy', async () => {
    const data = join(programs.directory, 'own');
    const args = ['up', '--host', '0.0.0.0', '--port', '0', '--data-dir', data, '--no-worker'];
    const start = async () => {
      const up = programs.start(CLI, args);
      await until(
        () => Promise.resolve(up.output()),
        (text) => text.includes('Ctrl-C stops it.') || up.child.exitCode !== null,
      );
      return up;
    };
    const first = await start();
    expect(first.output()).toMatch(/Made a self-signed certificate, \S+cert\.pem/);
    const certificate = await readFile(join(data, 'tls/cert.pem'), 'utf8');
    expect((await stat(join(data, 'tls/key.pem'))).mode & 0o777).toBe(0o600);
    await end(first.child, 'SIGTERM');

    const second = await start();
    expect(second.output()).not.toContain('Made a certificate');
    expect(await readFile(join(data, 'tls/cert.pem'), 'utf8')).toBe(certificate);
    const made = await programs.finished(CLI, [
      'worker',
      'token',
      '--uses',
      '3',
      '--json',
      '--data-dir',
      data,
    ]);
    const { token, command } = JSON.parse(made.output) as { token: string; command: string };
    const [secret = '', pin = ''] = token.split('.');
    expect(pin).toBe(selfSignedPin(certificate));
    // Other machines do not reach it at 127.0.0.1, which the command line has used.
    expect(command).not.toContain('127.0.0.1');

    const { url } = JSON.parse(await readFile(join(data, 'cli.json'), 'utf8')) as { url: string };
    const joining = (at: string, by: string, env: Record<string, string> = {}) => {
      const credentials = join(programs.directory, `pinned-${randomUUID()}.json`);
      const words = ['join', at, '--token', by, '--executor', 'fake', '--credentials', credentials];
      return programs.finished(WORKER, words, env);
    };
    expect(await joining(url, token)).toMatchObject({ exitCode: 0 });
    const wrong = await joining(url, `${secret}.${'A'.repeat(43)}`);
    expect([wrong.exitCode, wrong.output]).toEqual([
      1,
      expect.stringMatching(/has another key than the join token says/),
    ]);
    expect((await joining(url, secret)).output).toMatch(/self.signed certificate/);

    // Only the proxy can resolve this name, so every connection must use the proxy.
    const { port } = new URL(url);
    const hidden = `https://coordinator.invalid:${port}`;
    const proxy = await connectProxy({ [`coordinator.invalid:${port}`]: Number(port) });
    try {
      expect((await joining(hidden, token)).output).toMatch(/does not answer/);
      expect(await joining(hidden, token, { HTTPS_PROXY: proxy.url })).toMatchObject({ exitCode: 0 });
      const proxied = await joining(hidden, `${secret}.${'A'.repeat(43)}`, { https_proxy: proxy.url });
      expect(proxied.output).toMatch(/has another key than the join token says/);
      const around = { HTTPS_PROXY: proxy.url, NO_PROXY: 'elsewhere.invalid,.invalid' };
      expect((await joining(hidden, token, around)).output).toMatch(/does not answer/);
      expect(new Set(proxy.targets)).toEqual(new Set([`coordinator.invalid:${port}`]));
    } finally {
      proxy.close();
    }
  }, 120_000);
});
