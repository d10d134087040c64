import {
  type DeviceDescription,
  type EnrolmentRequest,
  type JoinTokenRequest,
  VERSION,
  WORKER_PROTOCOL_VERSION,
} from '@alphaflops/contracts';
import { workerIdOf } from '@alphaflops/provenance';
import type { LeaseDesk } from '@alphaflops/queue';
import type { Stores } from '@alphaflops/store';
import { buildWorker } from '@alphaflops/store/conformance';
import { openTemporaryStores } from '@alphaflops/store-sqlite/testing';
import { hashOf, processor, PUBLIC_KEY, request } from './enrolment.spec-helper.js';
import type { EnrolmentSettings } from './enrolment-settings.js';
import { TokensService } from './tokens.service.js';
import { WorkersService } from './workers.service.js';

const SETTINGS = { heartbeatS: 5, offlineAfterS: 60, staleAfterS: 600 } as EnrolmentSettings;
const WORKER = workerIdOf(PUBLIC_KEY);
const UPGRADE = `This coordinator (${VERSION}) uses worker protocol ${WORKER_PROTOCOL_VERSION}, but the worker uses 1. Install the same version of alphaflops on both.`;
const secondsAgo = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString();

let stores: Stores;
let cleanUp: () => Promise<void>;
let tokens: TokensService;
let workers: WorkersService;
/** Workers whose waiting requests for work were answered, in order. */
let dismissed: string[];
beforeEach(async () => {
  ({ stores, cleanUp } = await openTemporaryStores());
  dismissed = [];
  const desk: Pick<LeaseDesk, 'dismiss'> = {
    dismiss: (id) => {
      dismissed.push(id);
      return Promise.reject(new Error('Redis is unreachable'));
    },
  };
  tokens = new TokensService(stores.access);
  workers = new WorkersService(stores.fleet, stores.access, tokens, desk as LeaseDesk, SETTINGS);
});
afterEach(() => cleanUp());

/** The digest of a new join token. */
async function joinHash(part: Partial<JoinTokenRequest> = {}): Promise<string> {
  const token = { name: 'for rack 3', expiresInS: 600, maxUses: 1, labels: {}, ...part };
  return hashOf((await tokens.createJoinToken(token)).secret);
}
const enrolled = async (part: Partial<EnrolmentRequest> = {}) =>
  await workers.enrol(await joinHash(), request(part));
const session = (part: { devices?: DeviceDescription[]; protocolVersion?: number } = {}) =>
  workers.openSession(WORKER, {
    ...{ version: '0.2.0', protocolVersion: WORKER_PROTOCOL_VERSION, devices: [processor('tfjs-cpu')] },
    ...part,
  });

describe('enrolment', () => {
  it('stores the worker with its devices, and only the digest of its token', async () => {
    const devices = [processor('tfjs-cpu'), processor('tfjs-wasm')];
    const hash = await joinHash({ labels: { room: 'B' } });
    const enrolment = request({ labels: { room: 'A', rack: '3' }, devices });
    const { worker, workerToken } = await workers.enrol(hash, enrolment);
    expect(worker).toMatchObject({
      ...{ id: WORKER, name: 'node 1', publicKey: PUBLIC_KEY, labels: { room: 'B', rack: '3' } },
      ...{ desiredState: 'active', activity: 'stopped', presence: 'offline', lastHeartbeatAt: null },
    });
    expect(await workers.get(WORKER)).toEqual(worker);
    const stored = await Promise.all(worker.deviceIds.map((id) => stores.fleet.device(id)));
    for (const [at, { executor, provenance }] of devices.entries()) {
      expect(stored[at]).toMatchObject({ uuid: 'cpu-0f3a', workerId: WORKER });
      expect(await stores.fleet.deviceClass(stored[at]?.deviceClassId ?? '')).toMatchObject({ executor });
      expect(await stores.samples.provenance(stored[at]?.provenanceId ?? '')).toEqual(provenance);
    }
    const records = await stores.access.tokens('worker');
    expect(records).toMatchObject([{ workerId: WORKER, name: 'node 1', hash: hashOf(workerToken) }]);
    expect(JSON.stringify(records)).not.toContain(workerToken);
  });

  it('uses the join token once: of two workers at the same time, one can enrol', async () => {
    const hash = await joinHash();
    const requests = ['a', 'b'].map((letter) => request({ publicKey: letter.repeat(43) }));
    const ended = await Promise.allSettled(requests.map((one) => workers.enrol(hash, one)));
    expect(ended.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect((await workers.list({ limit: 10 })).items).toHaveLength(1);
    await expect(workers.enrol(hash, request())).rejects.toMatchObject({
      ...{ status: 401, code: 'used-up-token' },
      message: 'The join token is used up. Make a new one: alphaflops worker token.',
    });
  });

  it('stores nothing for a token that is unknown, expired, revoked or not for joining', async () => {
    const revoked = await tokens.createJoinToken({ name: '', expiresInS: 600, maxUses: 1, labels: {} });
    await tokens.revokeJoinToken(revoked.record.id);
    const admin = await tokens.createFirstAdmin();
    for (const [hash, code] of [
      [hashOf('another'), 'unknown-token'],
      [await joinHash({ expiresInS: -1 }), 'expired-token'],
      [hashOf(revoked.secret), 'revoked-token'],
      [hashOf(admin ?? ''), 'unknown-token'],
    ] as const) {
      await expect(workers.enrol(hash, request())).rejects.toMatchObject({ status: 401, code });
    }
    expect((await workers.list({ limit: 10 })).items).toEqual([]);
    expect(await stores.access.tokens('worker')).toEqual([]);
  });

  it('does not use up the token for a worker with another protocol, or for a key that is in use', async () => {
    await enrolled();
    const hash = await joinHash();
    const old = workers.enrol(hash, request({ protocolVersion: 1, publicKey: 'n'.repeat(43) }));
    await expect(old).rejects.toMatchObject({ status: 426, code: 'upgrade-worker', message: UPGRADE });
    await expect(workers.enrol(hash, request())).rejects.toMatchObject({ status: 409, code: 'key-in-use' });
    const { worker } = await workers.enrol(hash, request({ publicKey: 'n'.repeat(43) }));
    expect(worker.id).toBe(workerIdOf('n'.repeat(43)));
  });
});

describe('a session', () => {
  it('starts with the current devices: a new library moves a device to another class, under the same id', async () => {
    const before = (await enrolled()).worker;
    const [deviceId = ''] = before.deviceIds;
    const first = await stores.fleet.device(deviceId);
    const devices = [processor('tfjs-wasm'), processor('tfjs-cpu', '5.0.0')];
    const { worker, devices: named, heartbeatS } = await session({ devices });
    expect(heartbeatS).toBe(5);
    expect(worker).toMatchObject({ version: '0.2.0', presence: 'online', activity: 'idle' });
    expect(worker.enrolledAt).toBe(before.enrolledAt);
    expect(named.map(({ executor }) => executor)).toEqual(['tfjs-wasm', 'tfjs-cpu']);
    expect(worker.deviceIds).toEqual(named.map((device) => device.deviceId));
    expect(named[1]?.deviceId).toBe(deviceId);
    expect(named[1]?.deviceClassId).not.toBe(first?.deviceClassId);
    const moved = await stores.fleet.device(deviceId);
    expect(moved).toMatchObject({
      deviceClassId: named[1]?.deviceClassId,
      createdAt: first?.createdAt,
    });
  });

  it('does not change a device class', async () => {
    await enrolled();
    const [known] = (await stores.fleet.deviceClasses({ limit: 10 })).items;
    const [device] = (await session()).devices;
    expect(await stores.fleet.deviceClass(device?.deviceClassId ?? '')).toEqual(known);
    await session({ devices: [{ ...processor('tfjs-cpu'), memoryBytes: 16e9 }] });
    expect((await stores.fleet.deviceClasses({ limit: 10 })).items).toEqual([known]);
  });

  it('is refused to a worker that is unknown, uses another protocol, or has no signing key', async () => {
    await expect(session()).rejects.toMatchObject({ status: 404, code: 'not-found' });
    await expect(session({ protocolVersion: 1 })).rejects.toMatchObject({ status: 426, message: UPGRADE });
    await stores.fleet.putWorker(buildWorker({ id: WORKER, publicKey: null }), [], [], new Map());
    await expect(session()).rejects.toMatchObject({ status: 409, code: 'no-signing-key' });
    expect(await workers.get(WORKER)).toMatchObject({ version: '0.1.0', lastHeartbeatAt: null });
  });
});

describe('a heartbeat', () => {
  const beat = (part: object = {}) =>
    workers.heartbeat(WORKER, {
      ...{ activity: 'measuring', protocolVersion: WORKER_PROTOCOL_VERSION },
      ...part,
    });

  it('stores the activity of the worker, and returns the state that the operator desires', async () => {
    await enrolled();
    expect(await beat({ disturbance: 'the clock is low' })).toEqual({ desiredState: 'active', reason: null });
    expect(await workers.get(WORKER)).toMatchObject({
      ...{ activity: 'measuring', presence: 'online', disturbance: 'the clock is low' },
    });
    await workers.setDesiredState(WORKER, 'paused', 'lunch');
    expect(await beat({ activity: 'stopped' })).toEqual({ desiredState: 'paused', reason: 'lunch' });
    expect(await workers.get(WORKER)).toMatchObject({ presence: 'offline', disturbance: null });
  });

  it('drains a worker with another protocol, unless it is revoked', async () => {
    await enrolled();
    expect(await beat({ protocolVersion: 1 })).toEqual({ desiredState: 'draining', reason: UPGRADE });
    const { reason } = await beat({ protocolVersion: undefined });
    expect(reason).toContain('the worker uses an older one');
    await workers.setDesiredState(WORKER, 'revoked', 'sold');
    expect(await beat({ protocolVersion: 1 })).toEqual({ desiredState: 'revoked', reason: 'sold' });
  });

  it('is refused to an unknown worker', async () => {
    await expect(beat()).rejects.toMatchObject({ code: 'not-found' });
    await expect(workers.get(WORKER)).rejects.toMatchObject({ status: 404 });
  });
});

describe('the state that the operator desires', () => {
  it('is stored with the reason; a waiting worker gets an answer, unless it may continue', async () => {
    await enrolled();
    expect(await workers.setDesiredState(WORKER, 'draining', 'a new fan')).toMatchObject({
      ...{ desiredState: 'draining', stateReason: 'a new fan' },
    });
    expect(dismissed).toEqual([WORKER]);
    await workers.setDesiredState(WORKER, 'active', 'cool again');
    expect(await workers.get(WORKER)).toMatchObject({ desiredState: 'active', stateReason: 'cool again' });
    expect(dismissed).toEqual([WORKER]);
    await expect(workers.setDesiredState('worker-x', 'paused', 'no')).rejects.toMatchObject({ status: 404 });
  });

  it('is final when it revokes the worker: its tokens end, and no request makes it active again', async () => {
    const { workerToken } = await enrolled();
    for (const reason of ['stolen', 'stolen indeed'])
      await workers.setDesiredState(WORKER, 'revoked', reason);
    expect((await stores.access.tokenByHash(hashOf(workerToken)))?.revokedAt).not.toBeNull();
    const refusal = { status: 409, code: 'worker-revoked' };
    await expect(workers.setDesiredState(WORKER, 'active', 'found')).rejects.toMatchObject(refusal);
    await expect(workers.putOffline(request())).rejects.toMatchObject({
      ...refusal,
      message: `${WORKER} was revoked: stolen indeed.`,
    });
    expect((await workers.get(WORKER)).desiredState).toBe('revoked');
  });

  it('is kept when it arrives while a session starts', async () => {
    await enrolled();
    await Promise.all([session(), workers.setDesiredState(WORKER, 'paused', 'lunch')]);
    expect(await workers.get(WORKER)).toMatchObject({ desiredState: 'paused', stateReason: 'lunch' });
  });
});

it('a node without a network gets no token; when it is registered again, it keeps its state and its age', async () => {
  const first = await workers.putOffline(request());
  await workers.setDesiredState(WORKER, 'paused', 'moving');
  const devices = [processor('tfjs-wasm')];
  const again = await workers.putOffline(request({ name: 'node 2', version: '0.2.0', devices }));
  expect(again).toMatchObject({ id: first.id, enrolledAt: first.enrolledAt, name: 'node 2' });
  expect(await workers.get(WORKER)).toMatchObject({ version: '0.2.0', desiredState: 'paused' });
  expect(again.deviceIds).not.toEqual(first.deviceIds);
  expect(await stores.access.tokens('worker')).toEqual([]);
});

it('workers are online, offline or stale, depending on the age of their last heartbeat', async () => {
  const enrolledAt = secondsAgo(1000);
  for (const [id, lastHeartbeatAt] of [
    ['worker-a', secondsAgo(30)],
    ['worker-b', secondsAgo(300)],
    ['worker-c', secondsAgo(900)],
    ['worker-d', null],
  ] as const) {
    await stores.fleet.putWorker(buildWorker({ id, enrolledAt, lastHeartbeatAt }), [], [], new Map());
  }
  const { items, nextCursor } = await workers.list({ limit: 3 });
  expect(items.map(({ presence }) => presence)).toEqual(['online', 'offline', 'stale']);
  const rest = await workers.list({ limit: 3, cursor: nextCursor ?? '' });
  expect(rest.items).toMatchObject([{ id: 'worker-d', presence: 'stale' }]);
});
