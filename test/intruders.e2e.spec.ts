import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { AuditEntry, DeviceClass, Lease, Sample, Worker } from '@alphaflops/contracts';
import { batchDigest, isSignedBy, type SealedResult, sealResult } from '@alphaflops/provenance';
import { forged, Intruder, refOf } from './support/intruder.js';
import { request } from './support/requests.js';
import { end, Stack, until } from './support/stack.js';

/** Longer than any test, so that no test receives a command by heartbeat. */
const HEARTBEAT_S = '3600';

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start({ ALPHAFLOPS_BATCH_SPECS: '2', ALPHAFLOPS_HEARTBEAT_S: HEARTBEAT_S });
}, 60_000);
afterAll(async () => {
  await stack.stop();
}, 60_000);

async function deviceClass(): Promise<DeviceClass> {
  const { body } = await request(stack, 'GET', '/v1/device-classes');
  return (body as { items: DeviceClass[] }).items[0] as DeviceClass;
}

async function workerNamed(name: string): Promise<Worker> {
  const { body } = await request(stack, 'GET', '/v1/workers');
  return (body as { items: Worker[] }).items.find((worker) => worker.name === name) as Worker;
}

const intrude = async (name: string) => Intruder.enrol(stack, name, await deviceClass());

async function createCampaign(deviceClassId: string, specs = 6): Promise<string> {
  const { body } = await request(stack, 'POST', '/v1/campaigns', {
    body: {
      name: 'watched',
      design: { name: 'networklike' },
      budget: { specs },
      target: { kind: 'device-class', deviceClassId },
    },
  });
  return (body as { id: string }).id;
}

async function samplesOf(campaignId: string): Promise<Sample[]> {
  const { body } = await request(stack, 'GET', `/v1/samples?campaignId=${campaignId}`);
  return (body as { items: Sample[] }).items;
}

const refusals = async () =>
  ((await request(stack, 'GET', '/v1/audit')).body as { items: AuditEntry[] }).items.filter(
    ({ action }) => action === 'samples.refuse',
  );

describe('results', () => {
  it('that are forged, replayed, malformed or of another batch are refused, and measured again by others', async () => {
    const credentials = await stack.enrol('honest');
    const honest = await workerNamed('honest');
    const intruder = await intrude('intruder');
    const { id: targetId } = await deviceClass();
    const { provenance } = intruder;
    const asHonest = { provenance, id: honest.id, deviceId: honest.deviceIds[0] ?? '' };
    const asOther = { provenance, id: intruder.id, deviceId: honest.deviceIds[0] ?? '' };
    const stranger = generateKeyPairSync('ed25519').privateKey;
    const { privateKey } = intruder;
    const trick = ({ payload, attempt }: Lease<'measure'>) => forged(payload, attempt, intruder, privateKey);
    const changed = (sealed: SealedResult, seal: object): SealedResult => ({
      ...sealed,
      seal: { ...sealed.seal, ...seal },
    });
    const tricks: [reason: string, (lease: Lease<'measure'>) => Promise<SealedResult>][] = [
      ['it names', ({ payload, attempt }) => forged(payload, attempt, asHonest, privateKey)],
      ['is not a device of', ({ payload, attempt }) => forged(payload, attempt, asOther, privateKey)],
      ['it belongs to attempt', ({ payload, attempt }) => forged(payload, attempt + 1, intruder, privateKey)],
      [
        'it is not signed by',
        async ({ payload, attempt }) =>
          changed(await forged(payload, attempt + 1, intruder, privateKey), { attempt }),
      ],
      ['it is not signed by', ({ payload, attempt }) => forged(payload, attempt, intruder, stranger)],
      [
        'it belongs to another batch',
        (lease) =>
          trick({ ...lease, payload: { ...lease.payload, batchIndex: lease.payload.batchIndex + 1 } }),
      ],
      [
        'it is not signed by',
        async (lease) => {
          const other = { ...lease.payload, batchIndex: lease.payload.batchIndex + 1 };
          return changed(await trick({ ...lease, payload: other }), {
            batchDigest: batchDigest(lease.payload),
          });
        },
      ],
      // A different body with the same signature.
      [
        'it is not signed by',
        async (lease) => ({
          ...(await trick(lease)),
          body: (await trick({ ...lease, attempt: lease.attempt + 1 })).body,
        }),
      ],
      // Samples of another worker in a batch with a valid signature.
      [
        'spec \\d+ in it is not signed by',
        ({ payload, attempt }) => forged(payload, attempt, intruder, privateKey, stranger),
      ],
      [
        'it is malformed \\(results',
        ({ payload, attempt }) => {
          const { id: workerId, deviceId, provenance } = intruder;
          return sealResult(payload, { workerId, deviceId, provenance, attempt, results: [] }, privateKey);
        },
      ],
      [
        'it belongs to another batch',
        ({ payload, attempt }) =>
          forged({ ...payload, slots: payload.slots.slice(0, 1) }, attempt, intruder, privateKey),
      ],
    ];
    // Two slots per batch. There are enough batches so that none is refused three times, which would end the batch.
    const campaignId = await createCampaign(targetId, 14);
    for (const [i, [reason, play]] of tricks.entries()) {
      // A returned batch is offered first again, so the worker holds another batch in the meantime.
      const skipped: Lease[] = [];
      while (skipped.length < Math.floor(i / 2)) skipped.push(await intruder.take(targetId));
      const lease = await intruder.take(targetId);
      const answer = await intruder.bring(refOf(lease), await play(lease));
      expect(answer).toMatchObject({ status: 409, body: { code: 'result-refused' } });
      expect((answer.body as { detail: string }).detail).toMatch(new RegExp(reason));
      for (const each of skipped.toReversed()) {
        expect((await intruder.call('leases/return', { lease: refOf(each) })).status).toBe(204);
      }
    }
    const refused = await refusals();
    expect(refused).toHaveLength(tricks.length);
    for (const { actor, targetId: batch } of refused) {
      expect(actor.name).toBe(`results of ${intruder.id}`);
      expect(batch).toMatch(new RegExp(`^${campaignId}\\.b[0-6]$`));
    }
    expect(stack.coordinatorOutput).toMatch(/Refused a result: it is malformed/);
    expect(await samplesOf(campaignId)).toEqual([]);

    const worker = stack.startWorker(credentials);
    const samples = await until(
      () => samplesOf(campaignId),
      (recorded) => recorded.length === 14,
    );
    await end(worker.child, 'SIGTERM');
    for (const sample of samples) {
      expect(sample).toMatchObject({ workerId: honest.id, signature: expect.any(String) });
      expect(await isSignedBy(sample, honest.publicKey ?? '')).toBe(true);
      expect(await isSignedBy({ ...sample, specIndex: sample.specIndex + 1 }, honest.publicKey ?? '')).toBe(
        false,
      );
    }
  }, 120_000);

  it('that are refused repeatedly become an outcome with this reason', async () => {
    const intruder = await intrude('stubborn');
    const { id: targetId } = await deviceClass();
    const campaignId = await createCampaign(targetId, 2);
    for (let tries = 0; tries < 3; tries++) {
      const lease = await intruder.take(targetId);
      const result = await forged(lease.payload, lease.attempt + 1, intruder, intruder.privateKey);
      expect((await intruder.bring(refOf(lease), result)).status).toBe(409);
    }
    const samples = await until(
      () => samplesOf(campaignId),
      (recorded) => recorded.length === 2,
    );
    for (const sample of samples) {
      expect(sample).toMatchObject({
        outcome: 'executor-crashed',
        reason: expect.stringContaining('it belongs to attempt'),
        workerId: null,
        signature: null,
      });
    }
  }, 60_000);
});

describe('a worker', () => {
  it('has no credentials and no address of Redis', async () => {
    const credentials = await readFile(await stack.enrol('curious'), 'utf8');
    const kept = Object.keys(JSON.parse(credentials) as object);
    expect(kept).toEqual(expect.arrayContaining(['coordinatorUrl', 'workerId', 'workerToken', 'signingKey']));
    expect(kept.filter((name) => /redis|queue|password/i.test(name))).toEqual([]);
    const { workerToken } = JSON.parse(credentials) as { workerToken: string };
    expect(credentials).not.toContain(stack.redis.address.password);
    const { Redis } = await import('ioredis');
    const redis = new Redis(stack.redis.port, {
      password: workerToken,
      lazyConnect: true,
      retryStrategy: () => null,
    });
    redis.on('error', () => undefined);
    await redis.connect().catch(() => undefined);
    await expect(redis.ping()).rejects.toThrow(/NOAUTH|closed/);
    redis.disconnect();
  }, 30_000);

  it('that is revoked immediately gets no work, reports why, and leaves within ten seconds', async () => {
    const credentials = await stack.enrol('sold');
    const { id } = await workerNamed('sold');
    const worker = stack.startWorker(credentials);
    await until(
      () => Promise.resolve(worker.output()),
      (text) => text.includes('taking batches'),
    );
    const bystander = await intrude('also-sold');
    const { id: targetId } = await deviceClass();
    // It waits for work when it is revoked.
    const waiting = bystander.call('leases', { jobs: ['measure'], targetIds: [bystander.deviceId] });
    const exited = once(worker.child, 'exit');
    const revokedAt = performance.now();
    for (const each of [id, bystander.id]) {
      const body = { reason: 'sold to somebody else' };
      expect((await request(stack, 'POST', `/v1/workers/${each}/revoke`, { body })).status).toBe(200);
    }
    for (const [path, body] of [
      ['heartbeat', { activity: 'idle' }],
      ['leases', { jobs: ['measure'], targetIds: [targetId] }],
    ] as const) {
      const answer = await bystander.call(path, body);
      expect(answer).toMatchObject({ status: 401, body: { code: 'revoked-token' } });
    }
    await createCampaign(targetId, 2);
    expect(await exited).toEqual([1, null]);
    expect(performance.now() - revokedAt).toBeLessThan(10_000);
    expect(worker.output()).toMatch(/This worker is revoked .*revoked.*Enrol it again/);
    expect((await waiting).status).toBe(204);
    const again = stack.startWorker(credentials);
    expect(await once(again.child, 'exit')).toEqual([1, null]);
    expect(again.output()).toContain('revoked');
  }, 60_000);
});
