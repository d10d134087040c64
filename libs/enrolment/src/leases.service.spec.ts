import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { Lease, LeaseRef, Seal } from '@alphaflops/contracts';
import type { LeaseDesk } from '@alphaflops/queue';
import type { Stores } from '@alphaflops/store';
import { buildDevice, buildWorker } from '@alphaflops/store/conformance';
import { openTemporaryStores } from '@alphaflops/store-sqlite/testing';
import { Registry } from 'prom-client';
import { FakeDesk } from './lease-desk.spec-helper.js';
import { LeasesService } from './leases.service.js';

const WORKER = 'worker-a';
const DEVICE = 'device-a';
const ref = (part: Partial<LeaseRef> = {}): LeaseRef & { job: 'measure' } => ({
  ...{ targetId: DEVICE, id: 'campaign-a.b0', token: `${WORKER}.${'t'.repeat(22)}`, attempt: 1, ...part },
  job: 'measure',
});
const SEAL = { workerId: WORKER, deviceId: DEVICE } as Seal;

let stores: Stores;
let cleanUp: () => Promise<void>;
let desk: FakeDesk;
let registry: Registry;
let leases: LeasesService;
const enrol = async (id: string, deviceIds: string[]) => {
  const devices = deviceIds.map((deviceId) => buildDevice({ id: deviceId, uuid: deviceId, workerId: id }));
  await stores.fleet.putWorker(buildWorker({ id, deviceIds }), devices, [], new Map());
};
beforeEach(async () => {
  ({ stores, cleanUp } = await openTemporaryStores());
  desk = new FakeDesk();
  registry = new Registry();
  leases = new LeasesService(desk as unknown as LeaseDesk, stores.fleet, registry);
  await enrol(WORKER, [DEVICE]);
});
afterEach(() => cleanUp());

/** Requests for work look up devices before they wait. */
async function until(condition: () => boolean): Promise<void> {
  const start = Date.now();
  while (!condition()) {
    if (Date.now() - start > 5000) throw new Error('the expected state is not there after 5 s');
    await new Promise(setImmediate);
  }
}
const untilParked = (count: number) => until(() => desk.parked.length >= count);

describe('a request for work', () => {
  const { signal } = new AbortController();
  const take = (workerId = WORKER, ...targetIds: string[]) =>
    leases.take(workerId, { jobs: ['measure'], targetIds }, signal);

  it('waits at the desk, and may have work while the worker is active', async () => {
    const taken = take(WORKER, DEVICE, 'class-a');
    await untilParked(1);
    const [{ request, answer } = { request: null, answer: () => undefined }] = desk.parked;
    expect(request).toMatchObject({ workerId: WORKER, jobs: ['measure'], targetIds: [DEVICE, 'class-a'] });
    expect(request?.signal).toBe(signal);
    expect(await request?.mayWork()).toBe(true);
    await stores.fleet.patchWorker(WORKER, { desiredState: 'draining' });
    expect(await request?.mayWork()).toBe(false);
    expect(await registry.metrics()).toContain('alphaflops_parked_requests 1');
    const lease = { ...ref(), leaseMs: 8000 } as Lease;
    answer(lease);
    expect(await taken).toBe(lease);
    expect(await registry.metrics()).toContain('alphaflops_parked_requests 0');
  });

  it('is refused for a target that is not a device or class of the worker, until the worker has it', async () => {
    await enrol('worker-b', ['device-b']);
    const refusal = { status: 403, code: 'not-your-device' };
    await expect(take(WORKER, DEVICE, 'device-b')).rejects.toMatchObject({
      ...refusal,
      message: 'device-b is not a device or a device class of this worker.',
    });
    await expect(take('worker-x', DEVICE)).rejects.toMatchObject(refusal);
    await enrol(WORKER, [DEVICE, 'device-b']);
    void take(WORKER, DEVICE, 'device-b');
    await untilParked(1);
    expect(desk.parked[0]?.request.targetIds).toEqual([DEVICE, 'device-b']);
  });

  it('is refused while the coordinator shuts down', async () => {
    desk.isClosing = true;
    await expect(take(WORKER, DEVICE)).rejects.toMatchObject({ status: 503, code: 'shutting-down' });
  });

  it('is refused while the worker has too many open; other workers are not', async () => {
    const refusals: unknown[] = [];
    for (let count = 0; count < 100; count++) {
      take(WORKER, DEVICE).catch((error: unknown) => refusals.push(error));
    }
    await until(() => desk.parked.length + refusals.length === 100);
    expect(refusals[0]).toMatchObject({ status: 429, code: 'too-many-polls' });
    const open = desk.parked.length;
    expect(open).toBeGreaterThanOrEqual(4);
    await enrol('worker-b', ['device-b']);
    void take('worker-b', 'device-b');
    await untilParked(open + 1);
    desk.parked[0]?.answer(null);
    await new Promise(setImmediate);
    void take(WORKER, DEVICE);
    await untilParked(open + 2);
    expect(desk.parked.at(-1)?.request.workerId).toBe(WORKER);
  });
});

describe('a lease', () => {
  it('lasts when it is renewed; the answer names those that are lost', async () => {
    const lost = `${WORKER}.lost`;
    expect(await leases.renew(WORKER, [ref(), ref({ token: lost })])).toEqual({ lost: [lost] });
  });

  it('is refused when it belongs to another worker or to a target of another worker', async () => {
    const others = ref({ token: `worker-b.${'t'.repeat(22)}` });
    const refusal = { status: 403, code: 'not-your-lease', message: 'The lease belongs to another worker.' };
    await expect(leases.renew(WORKER, [ref(), others])).rejects.toMatchObject(refusal);
    await expect(leases.giveBack(WORKER, others)).rejects.toMatchObject(refusal);
    await expect(leases.fail(WORKER, { lease: others, reason: 'no' })).rejects.toMatchObject(refusal);
    const target = ref({ targetId: 'device-b' });
    await expect(leases.giveBack(WORKER, target)).rejects.toMatchObject({ code: 'not-your-device' });
    expect(desk.done).toEqual([]);
  });

  it('can be returned, unless it was lost', async () => {
    await leases.giveBack(WORKER, ref());
    expect(desk.done).toEqual([['put back', 'measure', DEVICE, 'campaign-a.b0']]);
    desk.isHeld = false;
    await expect(leases.giveBack(WORKER, ref())).rejects.toMatchObject({ status: 409, code: 'lease-lost' });
  });

  it('ends with a failure, which is stored only after the last attempt', async () => {
    const failed = ['failed', 'measure', DEVICE, 'campaign-a.b0', 'no memory'];
    const fail = () => leases.fail(WORKER, { lease: ref(), reason: 'no memory' });
    await fail();
    expect(desk.done).toEqual([failed]);
    desk.isLastAttempt = true;
    await fail();
    expect(desk.done).toEqual([failed, ['failure stored', 'no memory'], failed]);
    desk.isHeld = false;
    await expect(fail()).rejects.toMatchObject({ code: 'lease-lost' });
    expect(desk.done).toHaveLength(3);
  });
});

describe('a result', () => {
  const send = (headers: object = { 'content-length': '4' }, lease = ref()) => {
    const request = Object.assign(Readable.from([Buffer.from('bo'), Buffer.from('dy')]), { headers });
    return leases.result(WORKER, lease, SEAL, request as unknown as IncomingMessage);
  };
  const completed = ['completed', 'measure', DEVICE, 'campaign-a.b0'];

  it('is recorded unchanged; then its job leaves the queue', async () => {
    await send();
    expect(desk.deliveries).toMatchObject([
      { lease: ref(), workerId: WORKER, standing: 'held', result: SEAL },
    ]);
    expect(Buffer.from(desk.deliveries[0]?.body ?? []).toString()).toBe('body');
    expect(desk.done).toEqual([completed]);
  });

  it('is recorded even when its lease has lapsed, or when Redis is unreachable at the end', async () => {
    for (const standing of ['free', 'gone'] as const) {
      desk.standing = standing;
      await send();
    }
    desk.completion = () => Promise.reject(new Error('Redis is unreachable'));
    await send();
    expect(desk.deliveries.map(({ standing }) => standing)).toEqual(['free', 'gone', 'gone']);
  });

  it('is not recorded when another worker has started the job, and is lost unless the job is done', async () => {
    desk.standing = 'others';
    await expect(send()).rejects.toMatchObject({ status: 409, code: 'lease-lost' });
    desk.isDone = true;
    await send();
    expect(desk.deliveries).toEqual([]);
    expect(desk.done).toEqual([]);
  });

  it('ends the job when it is refused, or returns the job for another attempt', async () => {
    for (const again of [false, true]) {
      desk.recorded = { kind: 'refused', reason: 'it belongs to another batch', again };
      await expect(send()).rejects.toMatchObject({
        ...{
          status: 409,
          code: 'result-refused',
          message: 'The result was refused: it belongs to another batch.',
        },
      });
    }
    expect(desk.done).toEqual([completed, ['put back', ...completed.slice(1)]]);
  });

  it('leaves its job in the queue while the store is unreachable', async () => {
    desk.recorded = new Error('the store is unreachable');
    await expect(send()).rejects.toThrow('the store is unreachable');
    expect(desk.done).toEqual([]);
  });

  it('is read only when its length is known and small enough, and when its worker holds the lease', async () => {
    await expect(send({})).rejects.toMatchObject({ status: 411, code: 'length-required' });
    await expect(send({ 'content-length': '16777217' })).rejects.toMatchObject({ status: 413 });
    const others = ref({ token: `worker-b.${'t'.repeat(22)}` });
    await expect(send(undefined, others)).rejects.toMatchObject({ status: 403, code: 'not-your-lease' });
    expect(desk.deliveries).toEqual([]);
  });
});
