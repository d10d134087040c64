import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { WORKER_PROTOCOL_VERSION } from '@alphaflops/contracts';
import { enrolment } from './support/requests.js';
import { Stack } from './support/stack.js';

const COORDINATOR = resolve(import.meta.dirname, '../apps/coordinator/dist/main.js');

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start({ ALPHAFLOPS_BODY_LIMIT_BYTES: '100000' });
}, 60_000);
afterAll(async () => {
  await stack.stop();
}, 60_000);

interface Answer {
  status: number;
  type: string;
  body: { code?: string; detail?: string; errors?: { path: string; message: string }[]; requestId?: string };
}

async function call(
  method: string,
  path: string,
  body?: unknown,
  token: string | null = stack.token,
): Promise<Answer> {
  const answer = await fetch(stack.url + path, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  expect(text).not.toMatch(/\bat .+\.(js|ts):\d+/);
  return {
    status: answer.status,
    type: answer.headers.get('content-type') ?? '',
    body: text === '' ? {} : (JSON.parse(text) as Answer['body']),
  };
}

async function joinToken(request: object = {}): Promise<{ id: string; token: string }> {
  const answer = await call('POST', '/v1/join-tokens', request);
  expect(answer.status).toBe(201);
  return answer.body as { id: string; token: string };
}

async function enrolled(): Promise<{ id: string; token: string; deviceClassId: string }> {
  const { token } = await joinToken();
  const answer = await call('POST', '/v1/workers', enrolment(), token);
  expect(answer.status).toBe(201);
  const { worker, workerToken } = answer.body as { worker: { id: string }; workerToken: string };
  const classes = (await call('GET', '/v1/device-classes')).body as { items: { id: string }[] };
  return { id: worker.id, token: workerToken, deviceClassId: classes.items[0]?.id ?? '' };
}

describe('access rights', () => {
  it('requires a token, and returns why a token is refused', async () => {
    const code = async (token: string | null) =>
      (await call('GET', '/v1/workers', undefined, token)).body.code;
    expect(await code(null)).toBe('no-token');
    expect(await code('af_admin_wrong')).toBe('unknown-token');
    expect(await code((await joinToken()).token)).toBe('forbidden');
    expect(await code((await enrolled()).token)).toBe('forbidden');
    expect((await call('GET', '/healthz', undefined, null)).status).toBe(200);
    expect((await call('GET', '/metrics', undefined, null)).status).toBe(401);
  });

  it('accepts a join token up to its number of uses, until it is revoked', async () => {
    const { id, token } = await joinToken({ maxUses: 2 });
    const enrol = async () => (await call('POST', '/v1/workers', enrolment(), token)).body.code ?? 'enrolled';
    expect([await enrol(), await enrol(), await enrol()]).toEqual(['enrolled', 'enrolled', 'used-up-token']);
    expect((await call('DELETE', `/v1/join-tokens/${id}`)).status).toBe(204);
    expect(await enrol()).toBe('revoked-token');
    expect((await call('POST', '/v1/workers', enrolment(), 'af_join_invented')).body.code).toBe(
      'unknown-token',
    );
    expect((await call('POST', '/v1/workers', enrolment(), stack.token)).body.code).toBe('unknown-token');
  });

  it('asks a worker with another protocol version to upgrade, and does not count a use', async () => {
    const { token } = await joinToken();
    const old = await call('POST', '/v1/workers', { ...enrolment(), protocolVersion: 99 }, token);
    expect([old.status, old.body.code]).toEqual([426, 'upgrade-worker']);
    expect((await call('POST', '/v1/workers', enrolment(), token)).status).toBe(201);
  });

  it('asks a running worker with an older protocol version to leave after its batch, and to upgrade', async () => {
    const { id, token } = await enrolled();
    const beat = async (body: object) =>
      (await call('POST', `/v1/workers/${id}/heartbeat`, body, token)).body;
    const drainAnswer = {
      desiredState: 'draining',
      reason: expect.stringContaining('Install the same version'),
    };
    // A worker from before workers sent their version, and a worker with an older version.
    expect(await beat({ activity: 'measuring' })).toEqual(drainAnswer);
    expect(await beat({ activity: 'measuring', protocolVersion: WORKER_PROTOCOL_VERSION - 1 })).toEqual(
      drainAnswer,
    );
    // After the upgrade it works again without a resume command.
    expect(await beat({ activity: 'idle', protocolVersion: WORKER_PROTOCOL_VERSION })).toEqual({
      desiredState: 'active',
      reason: null,
    });
  });

  it('lets a worker act only for itself, and refuses it after it is revoked', async () => {
    const [mine, other] = [await enrolled(), await enrolled()];
    const beat = (id: string) =>
      call(
        'POST',
        `/v1/workers/${id}/heartbeat`,
        { activity: 'idle', protocolVersion: WORKER_PROTOCOL_VERSION },
        mine.token,
      );
    expect((await beat(mine.id)).body).toEqual({ desiredState: 'active', reason: null });
    expect((await beat(other.id)).body.code).toBe('forbidden');
    await call('POST', `/v1/workers/${mine.id}/pause`, { reason: 'noise' });
    expect((await beat(mine.id)).body).toEqual({ desiredState: 'paused', reason: 'noise' });
    await call('POST', `/v1/workers/${mine.id}/revoke`);
    expect((await beat(mine.id)).body.code).toBe('revoked-token');
    expect((await call('POST', `/v1/workers/${mine.id}/resume`)).body.code).toBe('worker-revoked');
  });

  it('shows secrets once', async () => {
    const { token } = await joinToken();
    const listed = await call('GET', '/v1/join-tokens');
    expect(JSON.stringify(listed.body)).not.toContain(token);
    expect(JSON.stringify(listed.body)).not.toContain('hash');
  });
});

describe('bad input', () => {
  const campaign = (changes: object, deviceClassId: string) => ({
    name: 'x',
    design: { name: 'networklike' },
    budget: { specs: 5 },
    target: { kind: 'device-class', deviceClassId },
    ...changes,
  });
  const csv = (text: string) => ({ design: { name: 'csv', csv: text } });
  const HEADER = 'height,width,cin,cout,kernel_h,kernel_w';

  it.each([
    ['an unknown field', { budgets: 1 }, 'budgets'],
    ['a wrong type', { replicates: 'two' }, 'replicates'],
    ['nothing to measure', { budget: { specs: 0 } }, 'budget.specs'],
    ['more than a million specs', { budget: { specs: 1_000_001 } }, 'budget.specs'],
    ['an unknown design', { design: { name: 'nice' } }, 'design.name'],
    ['a negative seed', { design: { name: 'random', seed: -1 } }, 'design.seed'],
    ['an unknown protocol', { protocol: 'fast' }, 'protocol'],
    [
      'an id of another form',
      { target: { kind: 'device-class', deviceClassId: '../../etc' } },
      'target.deviceClassId',
    ],
    [
      'an operator for an id',
      { target: { kind: 'device-class', deviceClassId: { $gt: '' } } },
      'target.deviceClassId',
    ],
    ['a missing column', csv('height,width\n1,1\n'), 'design.csv'],
    ['a negative size', csv(`${HEADER}\n8,8,4,4,3,-3\n`), 'design.csv'],
    ['a text for a number', csv(`${HEADER}\n8,8,4,4,3,3\n8,8,four,4,3,3\n`), 'design.csv'],
    ['limits that leave nothing', { constraints: { maxMacs: 1 } }, 'design'],
    ['a time cap without a model', { budget: { specs: 5, maxSpecMs: 1 } }, 'budget.maxSpecMs'],
  ])('is refused and named: %s', async (_what, changes, path) => {
    const { deviceClassId } = await enrolled();
    const before = (await call('GET', '/v1/campaigns')).body as { items: unknown[] };
    const answer = await call('POST', '/v1/campaigns', campaign(changes, deviceClassId));
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
    expect(answer.type).toContain('application/problem+json');
    expect(answer.body.errors?.map((error) => error.path)).toContain(path);
    expect(answer.body.detail).toContain(path);
    const after = (await call('GET', '/v1/campaigns')).body as { items: unknown[] };
    expect(after.items).toHaveLength(before.items.length);
  });

  it('previews a plan, with the same errors, and stores nothing', async () => {
    const { deviceClassId } = await enrolled();
    const before = (await call('GET', '/v1/campaigns')).body as { items: unknown[] };
    const preview = await call('POST', '/v1/campaigns/preview', campaign({}, deviceClassId));
    expect(preview).toMatchObject({ status: 200, body: { plannedSpecs: 5, timesFrom: 'protocol' } });
    const wrong = await call('POST', '/v1/campaigns/preview', campaign(csv('height\n1\n'), deviceClassId));
    expect(wrong.body.errors?.map((error) => error.path)).toContain('design.csv');
    const after = (await call('GET', '/v1/campaigns')).body as { items: unknown[] };
    expect(after.items).toHaveLength(before.items.length);
  });

  it('reports the line and the column of an error in a CSV', async () => {
    const { deviceClassId } = await enrolled();
    const text = `${HEADER}\n8,8,4,4,3,3\n8,8,four,4,3,3\n`;
    const answer = await call('POST', '/v1/campaigns', campaign(csv(text), deviceClassId));
    expect(answer.body.detail).toMatch(/line 3.*cin|3.*column cin/s);
  });

  it.each([
    ['/v1/campaigns/nothing', 404, 'not-found'],
    ['/v1/models/nothing', 404, 'not-found'],
    ['/v1/devices/nothing/models/latest', 404, 'not-found'],
    ['/v1/samples/%00', 400, 'invalid-request'],
    ['/v1/samples?limit=100000', 400, 'invalid-request'],
    ['/v1/samples?cursor=invented', 400, 'bad-cursor'],
    ['/v1/samples?outcome[$ne]=ok', 400, 'invalid-request'],
    ['/v1/samples/stream?format=xlsx', 400, 'invalid-request'],
    ['/v1/fits/none', 404, 'not-found'],
    ['/v1/nothing', 404, 'not-found'],
  ])('GET %s answers %i', async (path, status, code) => {
    const answer = await call('GET', path);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  it('refuses bodies that are broken, too large or too deep', async () => {
    expect(await call('POST', '/v1/join-tokens', '{"a":')).toMatchObject({
      status: 400,
      body: { code: 'invalid-request' },
    });
    expect((await call('POST', '/v1/join-tokens', { name: 'x'.repeat(200_000) })).status).toBe(413);
    const deep = `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`;
    expect((await call('POST', '/v1/join-tokens', deep)).status).toBe(400);
    const polluted = await call('POST', '/v1/join-tokens', '{"__proto__":{"maxUses":9},"constructor":1}');
    expect(polluted.body).toMatchObject({ maxUses: 1 });
  });

  it('keeps the request id of the client, if it is harmless', async () => {
    const ask = async (id: string) =>
      (await fetch(`${stack.url}/healthz`, { headers: { 'x-request-id': id } })).headers.get('x-request-id');
    expect(await ask('abc-123')).toBe('abc-123');
    expect(await ask('<script>')).not.toBe('<script>');
  });
});

describe('HTTP errors of a client', () => {
  const ask = (path: string, init: RequestInit) =>
    fetch(`${stack.url}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${stack.token}`, ...(init.headers as Record<string, string>) },
    });

  it.each([
    ['DELETE', '/v1/campaigns', 'GET, HEAD, POST'],
    ['PUT', '/v1/campaigns/some-id', 'GET, HEAD'],
    ['POST', '/healthz', 'GET, HEAD'],
  ])('%s %s is answered with 405 and the methods there are', async (method, path, allow) => {
    const answer = await ask(path, { method });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, allow]);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(await answer.json()).toMatchObject({ status: 405, code: 'method-not-allowed' });
  });

  it('an unknown path stays 404', async () => {
    expect((await ask('/v1/nothing', { method: 'DELETE' })).status).toBe(404);
  });

  it.each(['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data; boundary=x'])(
    'a body of type %s is answered with 415 and the type it should have',
    async (type) => {
      const answer = await ask('/v1/campaigns', {
        method: 'POST',
        body: '{}',
        headers: { 'content-type': type },
      });
      expect(answer.status).toBe(415);
      const { detail } = (await answer.json()) as { detail: string };
      expect(detail).toContain(`of type ${type}`);
      expect(detail).toContain('Content-Type: application/json');
    },
  );
});

describe('one coordinator per store', () => {
  it('refuses a second one and names the first', async () => {
    const { password } = stack.redis.address;
    const second = fork(COORDINATOR, [], {
      silent: true,
      env: {
        PATH: process.env['PATH'],
        REDIS_URL: `redis://:${password ?? ''}@127.0.0.1:${stack.redis.port}`,
        ALPHAFLOPS_DATA_DIR: join(stack.directory, 'data'),
        ALPHAFLOPS_PORT: '0',
      },
    });
    let text = '';
    second.stderr?.on('data', (piece: Buffer) => (text += piece.toString()));
    const [code] = (await once(second, 'exit')) as [number];
    expect(code).toBe(1);
    expect(text).toContain(String(stack.coordinatorPid));
    expect(text).not.toContain(password);
    expect(text.trim().split('\n')).toHaveLength(1);
  }, 30_000);
});

describe('request rate', () => {
  let limited: Stack;
  const requests = async (count: number, act: () => Promise<Response>) => {
    const answers: Response[] = [];
    for (let i = 0; i < count; i += 1) answers.push(await act());
    return answers;
  };
  beforeAll(async () => {
    limited = await Stack.start({
      ALPHAFLOPS_REQUESTS_PER_MINUTE: '5',
      ALPHAFLOPS_ENROLMENTS_PER_MINUTE: '3',
      ALPHAFLOPS_TRUSTED_PROXIES: 'loopback',
    });
  }, 60_000);
  afterAll(() => limited.stop(), 60_000);

  it('is limited', async () => {
    const answers = await requests(8, () =>
      fetch(`${limited.url}/v1/workers`, { headers: { authorization: `Bearer ${limited.token}` } }),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429, 429, 429]);
  });

  it('has a lower limit for enrolment from each address, and the answer contains the time of the next attempt', async () => {
    const enrol = (address: string) => () =>
      fetch(`${limited.url}/v1/workers`, {
        method: 'POST',
        headers: { authorization: 'Bearer a-guess', 'x-forwarded-for': address },
      });
    const answers = await requests(5, enrol('192.0.2.1'));
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 429, 429]);
    const refused = answers.at(-1);
    const seconds = Number(refused?.headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(60);
    expect(await refused?.json()).toMatchObject({
      code: 'too-many-requests',
      detail: expect.stringContaining(`Try again in ${seconds} s.`),
    });
    expect((await requests(1, enrol('192.0.2.2')))[0]?.status).toBe(401);
  });
});
