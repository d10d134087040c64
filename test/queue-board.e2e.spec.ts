import { Stack } from './support/stack.js';

const basic = (token: string) => ({
  authorization: `Basic ${Buffer.from(`me:${token}`).toString('base64')}`,
});

describe('the queues, shown at /queues', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await Stack.start();
  }, 60_000);
  afterAll(() => stack.stop());

  it('are visible only for an admin', async () => {
    const { data: reader } = await stack.api.POST('/v1/tokens', {
      body: { name: 'reader', role: 'operator' },
    });
    const get = (headers: Record<string, string>) => fetch(`${stack.url}/queues/api/queues`, { headers });
    for (const headers of [{}, basic('af_admin_wrong'), basic(reader?.token ?? '')]) {
      const refused = await get(headers);
      expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([
        401,
        expect.stringContaining('Basic'),
      ]);
    }
    const shown = await get(basic(stack.token));
    expect(shown.status).toBe(200);
    const { queues } = (await shown.json()) as { queues: { name: string; readOnlyMode: boolean }[] };
    expect(queues.map(({ name, readOnlyMode }) => [name, readOnlyMode])).toEqual([
      ['fit.v1', true],
      ['plan-round.v2', true],
    ]);
    const page = await fetch(`${stack.url}/queues/`, { headers: basic(stack.token) });
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(await page.text()).toContain('alphaflops');
  });

  it('cannot be changed on the board', async () => {
    const url = `${stack.url}/queues/api/queues/fit.v1/pause`;
    expect((await fetch(url, { method: 'PUT', headers: basic(stack.token) })).status).toBe(405);
  });

  it('are not shown where the board is switched off', async () => {
    const without = await Stack.start({ ALPHAFLOPS_QUEUE_BOARD: 'false' });
    const answer = await fetch(`${without.url}/queues/api/queues`, { headers: basic(without.token) });
    await without.stop();
    expect(answer.status).toBe(404);
  }, 60_000);
});
