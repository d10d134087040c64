import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import type {
  AuditEntry,
  DeviceClass,
  MeasureJob,
  MeasureResult,
  Sample,
  SealedResult,
  SlotResult,
  Worker,
} from '@alphaflops/contracts';
import { specKey } from '@alphaflops/conv';
import { JobConsumer, type RedisAddress } from '@alphaflops/queue';
import {
  batchDigest,
  fieldsOfMeasurement,
  isSignedBy,
  provenanceId,
  sealResult,
  signSample,
} from '@alphaflops/store';
import { Redis } from 'ioredis';
import { enrolment, request } from './support/requests.js';
import { end, Stack, until } from './support/stack.js';

/** Longer than any test: whatever is heard of within it was not heard by heartbeat. */
const HEARTBEAT_S = '3600';

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start({ ALPHAFLOPS_BATCH_SPECS: '2', ALPHAFLOPS_HEARTBEAT_S: HEARTBEAT_S });
}, 60_000);
afterAll(async () => {
  await stack.stop();
}, 60_000);

/** A worker that was enrolled as it should be, and does what it likes. */
interface Intruder {
  id: string;
  token: string;
  deviceId: string;
  provenance: MeasureResult['provenance'];
  privateKey: KeyObject;
  redis: RedisAddress;
}

async function deviceClass(): Promise<DeviceClass> {
  const { body } = await request(stack, 'GET', '/v1/device-classes');
  return (body as { items: DeviceClass[] }).items[0] as DeviceClass;
}

async function workerNamed(name: string): Promise<Worker> {
  const { body } = await request(stack, 'GET', '/v1/workers');
  return (body as { items: Worker[] }).items.find((worker) => worker.name === name) as Worker;
}

/** Enrols with a device of the class that there is. */
async function intrude(name: string): Promise<Intruder> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const join = await request(stack, 'POST', '/v1/join-tokens', { body: {} });
  const { sku, kind, executor, libraries, mathMode } = await deviceClass();
  const base = enrolment(name, `device-of-${name}`);
  const provenance = { ...base.devices[0]?.provenance, libraries, mathMode } as MeasureResult['provenance'];
  const devices = base.devices.map((device) => ({ ...device, sku, kind, executor, provenance }));
  const body = { ...base, devices, publicKey: publicKey.export({ format: 'jwk' }).x };
  const answer = await request(stack, 'POST', '/v1/workers', {
    body,
    token: (join.body as { token: string }).token,
  });
  expect(answer.status).toBe(201);
  const { worker, workerToken, queuePassword } = answer.body as {
    worker: Worker;
    workerToken: string;
    queuePassword: string;
  };
  return {
    id: worker.id,
    token: workerToken,
    deviceId: worker.deviceIds[0] ?? '',
    provenance,
    privateKey,
    redis: { url: stack.redis.address.url, username: worker.id, password: queuePassword },
  };
}

/** @param privateKey what signs the batch @param samplesKey what signs each of its samples */
async function resultsOf(
  job: MeasureJob,
  attempt: number,
  by: Pick<Intruder, 'id' | 'deviceId' | 'provenance'>,
  privateKey: KeyObject,
  samplesKey = privateKey,
): Promise<SealedResult> {
  const { campaignId, targetId, batchIndex, protocol } = job;
  const measurement = { outcome: 'unsupported' as const, reason: 'forged', timing: null, conditions: null };
  const results = job.slots.map(({ specIndex, replicate, spec }): SlotResult => {
    const slot = { specIndex, replicate, startedAt: new Date().toISOString() };
    const fields = {
      ...{ campaignId, targetId, batchIndex, attempt, workerId: by.id, deviceId: by.deviceId },
      ...{ ...slot, specKey: specKey(spec), provenanceId: provenanceId(by.provenance) },
      protocol: { name: protocol.name, version: protocol.version },
      ...fieldsOfMeasurement(measurement),
    };
    return { ...slot, measurement, signature: signSample(fields, samplesKey) };
  });
  const { id: workerId, deviceId, provenance } = by;
  return sealResult(job, { workerId, deviceId, attempt, provenance, results }, privateKey);
}

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
  it('that are unsigned, forged, replayed, malformed or of a changed batch are refused, and measured again by others', async () => {
    const credentials = await stack.enrol('honest');
    const honest = await workerNamed('honest');
    const intruder = await intrude('intruder');
    const { id: targetId } = await deviceClass();
    const raw = new Redis({
      port: stack.redis.port,
      username: intruder.id,
      password: intruder.redis.password ?? '',
    });
    const asHonest = { ...intruder, id: honest.id, deviceId: honest.deviceIds[0] ?? '' };
    const stranger = generateKeyPairSync('ed25519').privateKey;
    const { privateKey } = intruder;
    const fired = await intrude('fired');
    await request(stack, 'POST', `/v1/workers/${fired.id}/revoke`, { body: { reason: 'it lies' } });
    const trick = (job: MeasureJob, attempt: number) => resultsOf(job, attempt, intruder, privateKey);
    let replayed: SealedResult | null = null;
    const tricks: ((job: MeasureJob, attempt: number) => Promise<SealedResult>)[] = [
      // Unsigned.
      async (job, attempt) => ({ ...(await trick(job, attempt)), signature: null }),
      // In the name of another worker.
      (job, attempt) => resultsOf(job, attempt, asHonest, privateKey),
      async (job, attempt) => (replayed = await trick(job, attempt + 1)),
      // Replayed: what was signed for another attempt, told to be of this one, and for another batch.
      async (job, attempt) => ({
        ...(replayed ?? (await trick(job, attempt))),
        attempt,
        batchDigest: batchDigest(job),
      }),
      (job, attempt) => trick({ ...job, batchIndex: job.batchIndex + 1 }, attempt),
      // Another body under a signature.
      async (job, attempt) => ({
        ...(await trick(job, attempt)),
        body: (await trick(job, attempt + 1)).body,
      }),
      // Samples of somebody else in a batch that is signed well.
      (job, attempt) => resultsOf(job, attempt, intruder, privateKey, stranger),
      // Of a worker that was revoked, handed in by its friend.
      (job, attempt) => resultsOf(job, attempt, fired, fired.privateKey),
      // No result at all: of an older worker, and within a batch that is signed well.
      () => Promise.resolve({ workerId: intruder.id, results: [] } as unknown as SealedResult),
      (job, attempt) => sealResult(job, { ...malformed(intruder), attempt }, privateKey),
      async (job, attempt) => {
        const changed = { ...job, slots: job.slots.slice(0, 1) };
        const key = `alphaflops:measure.v1.${targetId}:${job.campaignId}.b${job.batchIndex}`;
        await raw.hset(key, 'data', JSON.stringify(changed));
        return trick(changed, attempt);
      },
    ];
    const count = tricks.length;
    let consumer: JobConsumer<'measure'> | null = null;
    const played = new Promise<void>((resolve) => {
      consumer = new JobConsumer(
        'measure',
        intruder.redis,
        async (job, { attempt }) => {
          const play = tricks.shift();
          if (play === undefined) throw new Error('out of tricks');
          const result = await play(job, attempt);
          if (tricks.length === 0) resolve();
          return result;
        },
        { targetId },
      );
    });
    await (consumer as JobConsumer<'measure'> | null)?.start();
    // Two slots a batch: as many batches that none is refused three times, which would end it.
    const campaignId = await createCampaign(targetId, 14);
    await played;
    await (consumer as JobConsumer<'measure'> | null)?.finish();
    raw.disconnect();
    const refused = await until(refusals, (entries) => entries.length >= count);
    expect(refused).toHaveLength(count);
    for (const { actor, targetId: batch } of refused) {
      expect(actor.name).toMatch(new RegExp(`${honest.id}|${intruder.id}|${fired.id}|no worker`));
      expect(batch).toMatch(new RegExp(`^${campaignId}\\.b[0-6]$`));
    }
    for (const reason of [
      'it is not signed',
      'it is not signed by',
      'of attempt',
      'is revoked',
      'changed in the queue',
      'spec \\d+ in it is not signed by',
      'the worker returned a malformed result',
      'it is malformed \\(results',
    ]) {
      expect(stack.coordinatorOutput).toMatch(new RegExp(`Refused results: .*${reason}`));
    }
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

  it('that are refused again and again become an outcome that says so', async () => {
    const intruder = await intrude('stubborn');
    const { id: targetId } = await deviceClass();
    const consumer = new JobConsumer(
      'measure',
      intruder.redis,
      async (job, { attempt }) => {
        const sealed = await resultsOf(job, attempt, intruder, intruder.privateKey);
        return { ...sealed, signature: null };
      },
      { targetId },
    );
    await consumer.start();
    const campaignId = await createCampaign(targetId);
    const samples = await until(
      () => samplesOf(campaignId),
      (recorded) => recorded.length === 6,
    );
    await consumer.finish();
    for (const sample of samples) {
      expect(sample).toMatchObject({
        outcome: 'executor-crashed',
        reason: expect.stringContaining('it is not signed'),
        workerId: null,
        signature: null,
      });
    }
  }, 60_000);
});

/** What no schema lets through. */
function malformed({ id: workerId, deviceId, provenance }: Intruder): MeasureResult {
  return { workerId, deviceId, provenance, attempt: 1, results: [] };
}

describe('a worker', () => {
  it('reaches no queue but its own, and nothing else in Redis', async () => {
    const { id, redis } = await intrude('curious');
    const { id: targetId } = await deviceClass();
    const connection = new Redis({ port: stack.redis.port, username: id, password: redis.password ?? '' });
    const own = `alphaflops:measure.v1.${targetId}:meta`;
    await expect(connection.hgetall(own)).resolves.toBeDefined();
    const attempts: [string, ...string[]][] = [
      ['HGETALL', 'alphaflops:measure.v1.another-class:meta'],
      ['LRANGE', 'alphaflops:fit.v1:wait', '0', '-1'],
      ['LPUSH', 'alphaflops:fit.v1:wait', 'x'],
      ['EVAL', `return redis.call('HGETALL', 'alphaflops:fit.v1:meta')`, '0'],
      ['KEYS', '*'],
      ['SCAN', '0'],
      ['PUBLISH', 'x', 'y'],
      ['SUBSCRIBE', 'x'],
      ['ACL', 'LIST'],
      ['CONFIG', 'GET', '*'],
      ['CLIENT', 'LIST'],
      ['MONITOR'],
      ['FLUSHALL'],
      ['SHUTDOWN'],
      ['SCRIPT', 'FLUSH'],
    ];
    for (const [command, ...args] of attempts) {
      const answer = await connection.call(command, ...args).then(
        () => 'done',
        (error: unknown) => String(error),
      );
      expect([command, answer]).toEqual([command, expect.stringMatching(/NOPERM|can't access/)]);
    }
    connection.disconnect();
  }, 30_000);

  it('that is revoked is cut off at once, says why, and leaves within ten seconds', async () => {
    const credentials = await stack.enrol('sold');
    const { id } = await workerNamed('sold');
    const worker = stack.startWorker(credentials);
    await until(
      () => Promise.resolve(worker.output()),
      (text) => text.includes('taking batches'),
    );
    const bystander = await intrude('also-sold');
    const connection = new Redis({
      port: stack.redis.port,
      username: bystander.id,
      password: bystander.redis.password ?? '',
      retryStrategy: () => null,
    });
    connection.on('error', () => undefined);
    await connection.ping();
    const cut = once(connection, 'close');
    const exited = once(worker.child, 'exit');
    const revokedAt = performance.now();
    for (const each of [id, bystander.id]) {
      const body = { reason: 'sold to somebody else' };
      expect((await request(stack, 'POST', `/v1/workers/${each}/revoke`, { body })).status).toBe(200);
    }
    await cut;
    expect(await exited).toEqual([1, null]);
    expect(performance.now() - revokedAt).toBeLessThan(10_000);
    expect(worker.output()).toMatch(/This worker is revoked .*revoked.*Enrol it anew/);
    const beat = await request(stack, 'POST', `/v1/workers/${bystander.id}/heartbeat`, {
      body: { activity: 'idle' },
      token: bystander.token,
    });
    expect(beat).toMatchObject({ status: 401, body: { code: 'revoked-token' } });
    await expect(connection.connect()).rejects.toThrow();
    connection.disconnect();
    const again = stack.startWorker(credentials);
    expect(await once(again.child, 'exit')).toEqual([1, null]);
    expect(again.output()).toContain('revoked');
  }, 60_000);
});
