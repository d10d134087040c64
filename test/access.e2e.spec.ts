import { ACCESS_ROLES, type AccessRole, type AuditEntry } from '@alphaflops/contracts';
import { enrolment, request } from './support/requests.js';
import { Stack, until } from './support/stack.js';

interface Operation {
  method: string;
  path: string;
  access: string;
}

const secrets: string[] = [];
let stack: Stack;
let operations: Operation[];
const tokens = {} as Record<AccessRole, { id: string; token: string }>;

beforeAll(async () => {
  stack = await Stack.start();
  secrets.push(stack.token);
  for (const role of ACCESS_ROLES) tokens[role] = await makeToken(role);
  const { body } = await request(stack, 'GET', '/openapi.json', { token: null });
  const { paths } = body as { paths: Record<string, Record<string, Record<string, string>>> };
  operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path: path.replaceAll(/\{\w+\}/g, 'nothing'),
      access: operation['x-access'] ?? '',
    })),
  );
}, 60_000);
afterAll(async () => {
  await stack.stop();
}, 60_000);

async function makeToken(role: AccessRole, changes: object = {}): Promise<{ id: string; token: string }> {
  const answer = await request(stack, 'POST', '/v1/tokens', {
    body: { name: `a ${role}`, role, ...changes },
  });
  expect(answer.status).toBe(201);
  const made = answer.body as { id: string; token: string };
  secrets.push(made.token);
  return made;
}

async function codeOf(token: string | null, method = 'GET', path = '/v1/workers'): Promise<unknown> {
  return ((await request(stack, method, path, { token })).body as { code?: string } | undefined)?.code;
}

describe('roles', () => {
  it('are declared for every route, and every route requires a token unless it is public', async () => {
    expect(operations.length).toBeGreaterThan(35);
    for (const { method, path, access } of operations) {
      expect([method, path, access]).toEqual([
        method,
        path,
        expect.stringMatching(/^(public|read-only|operator|admin|worker|join|sign-in)$/),
      ]);
      const { status } = await request(stack, method, path, { token: null });
      expect([method, path, status === 401]).toEqual([method, path, access !== 'public']);
    }
  });

  it.each(ACCESS_ROLES)('allow a token of role %s exactly the routes of this role', async (role) => {
    const rank = ACCESS_ROLES.indexOf(role);
    for (const { method, path, access } of operations) {
      const { status } = await request(stack, method, path, {
        token: tokens[role].token,
        body: bodyOf(method),
      });
      const needed = (ACCESS_ROLES as readonly string[]).indexOf(access);
      const refused = isForNoRole(access) || (needed > rank && access !== 'public');
      expect([method, path, status === 401 || status === 403]).toEqual([method, path, refused]);
    }
  });

  it('are not granted to worker tokens or join tokens', async () => {
    const join = await request(stack, 'POST', '/v1/join-tokens', { body: {} });
    const { token } = join.body as { token: string };
    const enrolled = await request(stack, 'POST', '/v1/workers', { body: enrolment(), token });
    const { workerToken } = enrolled.body as { workerToken: string };
    secrets.push(token, workerToken);
    for (const { method, path, access } of operations) {
      if (access === 'public' || isForNoRole(access)) continue;
      for (const foreign of [token, workerToken]) {
        const { status } = await request(stack, method, path, { token: foreign, body: bodyOf(method) });
        expect([method, path, status]).toEqual([method, path, 403]);
      }
    }
  });

  const isForNoRole = (access: string) => ['worker', 'join', 'sign-in'].includes(access);
  /** A body that is not valid for any route. */
  const bodyOf = (method: string) => (method === 'POST' ? { nonsense: true } : undefined);
});

describe('tokens of the API', () => {
  it('are shown once, expire, and are revoked at once', async () => {
    const brief = await makeToken('operator', { expiresInS: 1 });
    const revoked = await makeToken('operator');
    expect(await codeOf(revoked.token)).toBeUndefined();
    expect((await request(stack, 'DELETE', `/v1/tokens/${revoked.id}`)).status).toBe(204);
    expect(await codeOf(revoked.token)).toBe('revoked-token');
    for (const forged of [`${revoked.token}x`, revoked.token.slice(0, -1), revoked.token.toUpperCase()]) {
      expect(await codeOf(forged)).toBe('unknown-token');
    }
    const listed = await request(stack, 'GET', '/v1/tokens');
    expect(listed.body).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ id: brief.id, role: 'operator', revokedAt: null }),
        expect.objectContaining({ id: revoked.id, revokedAt: expect.any(String) }),
      ]),
    );
    for (const secret of secrets) expect(listed.text).not.toContain(secret);
    await until(
      () => codeOf(brief.token),
      (code) => code === 'expired-token',
    );
  });

  it('leave at least one admin', async () => {
    const list = async () =>
      (await request(stack, 'GET', '/v1/tokens')).body as { id: string; role: string; revokedAt: unknown }[];
    const admins = (await list()).filter(({ role }) => role === 'admin');
    const first = admins.find(({ id }) => id !== tokens.admin.id);
    const remove = (id = '') => codeOf(tokens.admin.token, 'DELETE', `/v1/tokens/${id}`);
    const keeps = stack.token;
    expect(await remove(first?.id)).toBeUndefined();
    expect(await codeOf(keeps)).toBe('revoked-token');
    stack.token = tokens.admin.token;
    expect(await remove(tokens.admin.id)).toBe('last-admin');
    expect(await remove('nothing')).toBe('not-found');
  });
});

describe('the audit log', () => {
  it('records who did what, and contains no secret', async () => {
    const { id, token } = tokens.operator;
    const address = '/v1/workers/nothing/revoke';
    await request(stack, 'POST', address, { token, body: {}, headers: { 'x-request-id': 'who-did-it' } });
    const answer = await request(stack, 'GET', '/v1/audit?limit=1000');
    const { items } = answer.body as { items: AuditEntry[] };
    expect(items[0]).toMatchObject({
      actor: { kind: 'operator', tokenId: id, name: 'a operator' },
      action: 'workers.revoke',
      targetId: 'nothing',
      status: 404,
      requestId: 'who-did-it',
    });
    const actions = new Set(items.filter(({ status }) => (status ?? 0) < 300).map(({ action }) => action));
    expect([...actions].sort()).toEqual([
      'api-tokens.create',
      'api-tokens.revoke',
      'join-tokens.create',
      'workers.enrol',
    ]);
    const made = items.find(({ action, targetId }) => action === 'api-tokens.create' && targetId === id);
    expect(made).toMatchObject({ actor: { kind: 'admin', name: 'admin' }, status: 201 });
    expect(secrets.length).toBeGreaterThan(5);
    for (const secret of secrets) expect(answer.text).not.toContain(secret);
  });
});
