import { NetworkThreads, type NetworkLimits } from './network-threads.js';

const open: NetworkThreads[] = [];
afterEach(() => Promise.all(open.splice(0).map((threads) => threads.onApplicationShutdown())));

function threadsWithin(limits: Partial<NetworkLimits>): NetworkThreads {
  const threads = new NetworkThreads({ ms: 30_000, heapMib: 512, waiting: 16, ...limits });
  open.push(threads);
  return threads;
}

/** A network with one layer and this number of operators without costs. */
function networkWith(operators: number): Uint8Array {
  const layer = { name: 'a', op: 'Linear', dtype: 'f32', kind: 'dense', rows: 1, cin: 2, cout: 3 };
  const not_costed = Array.from({ length: operators }, (_, i) => ({ op: `operator ${i}`, count: 1 }));
  return Buffer.from(JSON.stringify({ format: 'alphaflops.layers/1', layers: [layer], not_costed }));
}
const small = networkWith(1);
/** Takes half a second and 100 MB to read. */
const large = networkWith(300_000);

const READ = { ok: true, network: { layers: [{ name: 'a' }] } };
const refusal = (limit: string) => ({
  ok: false,
  reason: `Reading the network takes more than ${limit}. No real network needs so much.`,
});

describe('network files', () => {
  it('are abandoned when they take too long, and read with a longer limit', async () => {
    const threads = threadsWithin({ ms: 150 });
    expect(await threads.read(large, {})).toEqual(refusal('0.15 s'));
    const patient = threadsWithin({});
    expect(await patient.read(large, {})).toMatchObject(READ);
    expect(await patient.read(small, {})).toMatchObject(READ);
  });

  it('are abandoned when they take too much memory; then the next file is read', async () => {
    const threads = threadsWithin({ heapMib: 32 });
    expect(await threads.read(large, {})).toEqual(refusal('32 MiB of memory'));
    expect(await threads.read(small, {})).toMatchObject(READ);
  });

  it('are refused while too many files wait', async () => {
    const threads = threadsWithin({ waiting: 2 });
    const answers = await Promise.all([1, 2, 3, 4].map(() => threads.read(small, {})));
    expect(answers.map(({ ok }) => ok)).toEqual([true, true, true, false]);
    expect(answers[3]).toMatchObject({
      isBusy: true,
      reason: expect.stringContaining('Try again') as string,
    });
    expect(await threads.read(small, {})).toMatchObject(READ);
  });
});
