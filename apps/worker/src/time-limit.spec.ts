import { getEventListeners } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { withTimeLimit } from './time-limit.js';

describe('a time limit', () => {
  let server: Server;
  let url: string;
  beforeAll(async () => {
    server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const ask = (signal: AbortSignal) => fetch(url, { method: 'POST', body: 'x', signal });

  it('ends a request without an answer, even if the garbage collector runs in the meantime', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const collecting = setInterval(collectGarbage, 20);
    try {
      const request = withTimeLimit(500, new AbortController().signal, ask);
      await expect(request).rejects.toMatchObject({ name: 'TimeoutError' });
    } finally {
      clearInterval(collecting);
    }
  }, 5_000);

  it('ends a request when the signal fires, before or after its start, with the reason of the signal', async () => {
    const reason = new Error('leaving');
    await expect(withTimeLimit(60_000, AbortSignal.abort(reason), ask)).rejects.toBe(reason);
    const leaving = new AbortController();
    const request = withTimeLimit(60_000, leaving.signal, ask);
    leaving.abort(reason);
    await expect(request).rejects.toBe(reason);
  });

  it('leaves no listener and no timer behind once the work is done', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const { signal } = new AbortController();
    const before = timers();
    const done = await withTimeLimit(60_000, signal, (limited) => {
      expect(limited.aborted).toBe(false);
      expect(getEventListeners(signal, 'abort')).toHaveLength(1);
      expect(timers()).toBe(before + 1);
      return Promise.resolve('done');
    });
    expect(done).toBe('done');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(timers()).toBe(before);
  });
});
