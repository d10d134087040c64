import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createApiClient } from '@alphaflops/api-client';
import { trustingFetch } from '@alphaflops/api-client/trusting-fetch';
import { trustIn } from '@alphaflops/config';
import { ACCESS_ROLES } from '@alphaflops/contracts';
import { CLI, COORDINATOR, Programs, WORKER } from './support/programs.js';
import { until } from './support/stack.js';

/** A text with more than this number of characters of a secret counts as a leak of the secret. */
const TELLING = 24;
const DEBUG = { ALPHAFLOPS_LOG_LEVEL: 'debug' };

let programs: Programs;
beforeAll(async () => {
  programs = await Programs.in('secrets');
});
afterAll(() => programs.stop(), 60_000);

const json = async (file: string) => JSON.parse(await readFile(file, 'utf8')) as Record<string, string>;

/** The secret lines of a key in PEM. */
const linesOfKey = (pem: string) => pem.split('\n').filter((line) => /^[\w+/=]{24,}$/.test(line));

/** Texts of all files below a folder whose names say that they are logs. */
async function logsIn(folder: string): Promise<Map<string, string>> {
  const found = await readdir(folder, { recursive: true });
  const logs = found.filter((name) => name.endsWith('.log'));
  return new Map(
    await Promise.all(
      logs.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as [string, string]),
    ),
  );
}

it('no log of any process contains a secret: enrolment, campaign, TLS, revocation, wrong addresses, at level debug', async () => {
  const { cert, key } = programs.certificate();
  const data = join(programs.directory, 'data');
  const tls = ['--tls-cert', cert, '--tls-key', key];
  const up = programs.start(CLI, ['up', '--port', '0', '--data-dir', data, ...tls], DEBUG);
  await until(
    () => Promise.resolve(up.output()),
    (text) => text.includes('Ctrl-C stops it.') || up.child.exitCode !== null,
  );
  const { url = '', token = '' } = await json(join(data, 'cli.json'));
  const fetch = trustingFetch(trustIn(await readFile(cert, 'utf8')));
  const api = createApiClient({ url, token, fetch });
  const printedJoin = /sh -s -- (\S+)/.exec(up.output())?.[1] ?? '';

  // Enrolment of a second worker, by a token and by wrong ones.
  const { data: made } = await api.POST('/v1/join-tokens', { body: { maxUses: 1 } });
  const joinToken = made?.token ?? '';
  const credentials = join(programs.directory, 'second.json');
  const joining = (...args: string[]) =>
    programs.finished(
      WORKER,
      ['join', url, '--executor', 'fake', '--credentials', credentials, '--ca', cert, ...args],
      DEBUG,
    );
  expect((await joining('--token', joinToken)).exitCode).toBe(0);
  // A token without uses left, and then a token that never existed.
  for (const wrong of [joinToken, `af_join_${'w'.repeat(43)}`]) {
    expect((await joining('--token', wrong, '--force')).exitCode).toBe(1);
  }
  const second = programs.start(WORKER, ['run', '--credentials', credentials], DEBUG);
  await until(
    () => Promise.resolve(second.output()),
    (text) => text.includes('taking batches') || second.child.exitCode !== null,
  );

  // Tokens of every role, used, used wrongly, revoked and used again; a body that is not JSON.
  const apiTokens: string[] = [];
  for (const role of ACCESS_ROLES) {
    const { data: one } = await api.POST('/v1/tokens', { body: { name: role, role, expiresInS: null } });
    apiTokens.push(one?.token ?? '');
    const asRole = (path: string, init: object = {}) =>
      fetch(url + path, { headers: { authorization: `Bearer ${one?.token ?? ''}` }, ...init });
    await asRole('/v1/workers');
    await asRole(`/v1/workers?cursor=${one?.token ?? ''}`);
    await asRole('/v1/campaigns', { method: 'POST', body: '{"name"' });
    await api.DELETE('/v1/tokens/{id}', { params: { path: { id: one?.id ?? '' } } });
    await asRole('/v1/workers');
  }

  const { data: classes } = await api.GET('/v1/device-classes');
  const campaign = await programs.finished(
    CLI,
    [
      ...['campaign', 'create', '--name', 'secret', '--design', 'networklike', '--budget', '12'],
      ...[
        '--target',
        classes?.items.find(({ executor }) => executor === 'fake')?.id ?? '',
        '--data-dir',
        data,
        '--watch',
      ],
    ],
    DEBUG,
  );
  expect(campaign.output).toMatch(/12\/12/);

  // The revoked worker receives the reason, and leaves.
  const { workerId = '', ...credentialsOfSecond } = await json(credentials);
  const left = once(second.child, 'exit');
  const { response } = await api.POST('/v1/workers/{id}/revoke', {
    params: { path: { id: workerId } },
    body: { reason: 'test' },
  });
  expect(response.status).toBe(200);
  await left;

  // Addresses with passwords and without a server.
  const { port, password = '' } = await json(join(data, 'redis/private-redis.json'));
  const unreachable = 'serverSelectionTimeoutMS=200';
  const attempts: Record<string, string>[] = [
    { REDIS_URL: 'redis://:hush-nobody-is-here-to-hear-it@127.0.0.1:1' },
    { REDIS_URL: `redis://:hush-this-is-the-wrong-password@127.0.0.1:${port ?? ''}` },
    {
      REDIS_URL: `redis://:${password}@127.0.0.1:${port ?? ''}`,
      MONGODB_URI: `mongodb://zoe:hush-of-the-database-of-zoe@127.0.0.1:1/lab?${unreachable}`,
    },
  ];
  for (const env of attempts) {
    const ended = await programs.finished(COORDINATOR, [], { ...DEBUG, ALPHAFLOPS_CA: cert, ...env });
    expect(ended.exitCode).toBe(1);
    expect(ended.output).not.toBe('');
  }
  up.child.kill('SIGTERM');
  await once(up.child, 'exit');

  const own = await json(join(data, 'worker.json'));
  const secretsOf = (file: Record<string, unknown>): string[] =>
    Object.entries(file).flatMap(([name, value]) =>
      // The digest of the public key of the coordinator is public.
      name !== 'pin' && typeof value === 'string' && value.length >= TELLING && !/[/: ]/.test(value)
        ? [value]
        : typeof value === 'string' && value.includes('PRIVATE KEY')
          ? linesOfKey(value)
          : typeof value === 'object' && value !== null
            ? secretsOf(value as Record<string, unknown>)
            : [],
    );
  const keyLines = linesOfKey(await readFile(key, 'utf8'));
  const secrets = {
    admin: [token],
    join: [joinToken],
    printedJoin: [printedJoin],
    apiTokens,
    ownWorker: secretsOf(own),
    secondWorker: secretsOf(credentialsOfSecond),
    redis: [password, 'hush-nobody-is-here-to-hear-it', 'hush-this-is-the-wrong-password'],
    mongodb: ['hush-of-the-database-of-zoe'],
    tlsKey: keyLines,
  };
  // The files contain the secrets that the test searches for: the tokens and signing keys of the workers.
  expect(secrets.ownWorker.length).toBeGreaterThanOrEqual(2);
  expect(secrets.secondWorker.length).toBeGreaterThanOrEqual(2);
  expect(keyLines.length).toBeGreaterThan(0);
  const all = Object.entries(secrets).flatMap(([kind, texts]) => texts.map((text) => [kind, text] as const));
  expect(all.filter(([, text]) => text.length < TELLING)).toEqual([]);

  const logs = await logsIn(data);
  expect([...logs.keys()].sort()).toEqual(
    expect.arrayContaining(['coordinator.log', 'redis/redis.log', 'worker.log']),
  );
  programs.outputs.forEach((text, i) => logs.set(`program ${i}`, text));
  // Level debug was on, and there is output.
  expect(logs.get('coordinator.log')).toMatch(/recorded.*campaign=/);
  const found = all.flatMap(([kind, text]) =>
    [...logs].filter(([, log]) => log.includes(text.slice(0, TELLING))).map(([name]) => `${kind} in ${name}`),
  );
  // `up` shows the token once to its user, only on its own output.
  expect(new Set(found)).toEqual(new Set(['admin in program 0', 'printedJoin in program 0']));
}, 180_000);
