/** Sign-in links: a code opens one session, once. */
import type { AuditEntry, NewApiToken, SignInCode } from '@alphaflops/contracts';
import { request } from './support/requests.js';
import { Stack, until } from './support/stack.js';

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start();
}, 60_000);
afterAll(async () => {
  await stack.stop();
}, 60_000);

async function makeCode(body: object = {}): Promise<SignInCode> {
  const answer = await request(stack, 'POST', '/v1/sign-in-codes', { body });
  expect(answer.status).toBe(201);
  return answer.body as SignInCode;
}

const exchange = (code: string | null, headers: Record<string, string> = {}) =>
  request(stack, 'POST', '/v1/sessions', { token: code, headers });

const codeOf = ({ body }: { body: unknown }) => (body as { code?: string } | undefined)?.code;

describe('a sign-in link', () => {
  it('opens one session, which appears in the list of tokens and can be revoked', async () => {
    const { code, path, role } = await makeCode();
    expect([role, path]).toEqual(['admin', `/#/sign-in/${code}`]);
    const opened = await exchange(code);
    expect(opened.status).toBe(201);
    const session = opened.body as NewApiToken;
    const hours = (Date.parse(session.expiresAt ?? '') - Date.parse(session.createdAt)) / 3_600_000;
    expect(hours).toBe(12);
    const list = () => request(stack, 'GET', '/v1/tokens', { token: session.token });
    const { text, body } = await list();
    expect(body).toContainEqual(
      expect.objectContaining({ id: session.id, name: expect.stringContaining('by sign-in link') }),
    );
    for (const secret of [code, session.token]) expect(text).not.toContain(secret);

    const again = await exchange(code);
    expect([again.status, codeOf(again)]).toEqual([401, 'used-up-token']);
    expect(again.text).toContain('alphaflops token link');

    expect((await request(stack, 'DELETE', `/v1/tokens/${session.id}`)).status).toBe(204);
    expect(codeOf(await list())).toBe('revoked-token');
  });

  it('opens a session with the role of the link', async () => {
    const { code } = await makeCode({ role: 'read-only' });
    const { token } = (await exchange(code)).body as NewApiToken;
    expect((await request(stack, 'GET', '/v1/workers', { token })).status).toBe(200);
    expect((await request(stack, 'GET', '/v1/tokens', { token })).status).toBe(403);
    expect((await request(stack, 'POST', '/v1/sign-in-codes', { token, body: {} })).status).toBe(403);
  });

  it('opens exactly one session for many requests at the same time', async () => {
    const { code } = await makeCode();
    const answers = await Promise.all(Array.from({ length: 12 }, () => exchange(code)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(11);
  });

  it('works after a restart of the coordinator, and not a second time after another', async () => {
    const { code } = await makeCode();
    const restart = async () => {
      await stack.stopCoordinator();
      await stack.startCoordinator();
    };
    await restart();
    expect((await exchange(code)).status).toBe(201);
    await restart();
    expect(codeOf(await exchange(code))).toBe('used-up-token');
  }, 60_000);

  it('expires', async () => {
    const { code, expiresAt } = await makeCode({ expiresInS: 1 });
    await until(
      () => Promise.resolve(Date.now()),
      (now) => now > Date.parse(expiresAt),
    );
    expect(codeOf(await exchange(code))).toBe('expired-token');
  });

  it('accepts only its code: wrong codes and other tokens are refused, and the code is not a token', async () => {
    const { code } = await makeCode();
    for (const wrong of [`${code}x`, code.slice(0, -1), stack.token]) {
      const answer = await exchange(wrong);
      expect([answer.status, codeOf(answer)]).toEqual([401, 'unknown-token']);
    }
    expect(codeOf(await exchange(null))).toBe('no-token');
    const asToken = await request(stack, 'GET', '/v1/workers', { token: code });
    expect([asToken.status, codeOf(asToken)]).toEqual([403, 'forbidden']);
    expect((await exchange(code)).status).toBe(201);
  });

  it('is not kept for repeated requests', async () => {
    const { code } = await makeCode();
    const key = { 'Idempotency-Key': 'again' };
    expect(codeOf(await exchange(code, key))).toBe('not-repeatable');
    const made = await request(stack, 'POST', '/v1/sign-in-codes', { body: {}, headers: key });
    expect(codeOf(made)).toBe('not-repeatable');
    expect((await exchange(code)).status).toBe(201);
  });

  it('appears in the audit log with its session, without the code', async () => {
    const { id, code } = await makeCode();
    const session = (await exchange(code)).body as NewApiToken;
    const audit = await request(stack, 'GET', '/v1/audit?limit=10');
    const { items } = audit.body as { items: AuditEntry[] };
    expect(items[0]).toMatchObject({
      actor: { kind: 'sign-in', tokenId: id },
      action: 'sessions.create',
      targetId: session.id,
      status: 201,
    });
    expect(items[1]).toMatchObject({ action: 'sign-in-codes.create', targetId: id });
    for (const secret of [code, session.token]) expect(audit.text).not.toContain(secret);
    for (const { text } of stack.logs) expect(text).not.toContain(code.slice(-24));
  });

  it('can be tried as often as a join token, from one address', async () => {
    await stack.stopCoordinator();
    await stack.startCoordinator({ ALPHAFLOPS_ENROLMENTS_PER_MINUTE: '3' });
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 5; attempt++) statuses.push((await exchange('af_sign-in_wrong')).status);
    expect(statuses).toEqual([401, 401, 401, 429, 429]);
  }, 60_000);
});
