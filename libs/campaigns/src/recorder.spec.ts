import type { Campaign, MeasureJob, Sample } from '@alphaflops/contracts';
import { batchDigest, seal } from '@alphaflops/provenance';
import type { Delivery, LeaseDesk } from '@alphaflops/queue';
import { buildDevice, buildDeviceClass, buildSpec, buildWorker } from '@alphaflops/store/conformance';
import { Registry } from 'prom-client';
import { BatchVerifier } from './batch-verifier.js';
import type { Completion } from './completion.js';
import { CLASS, Deployment, DEVICE, WORKER } from './deployment.spec-helper.js';
import { Drift } from './drift.js';
import { Recorder } from './recorder.js';
import { RecordingMetrics } from './recording-metrics.js';
import { Refusals } from './refusals.js';
import { deliveryOf, goodMeasurement, leaseOf, newKeys, signedResult } from './signed-results.spec-helper.js';

const { publicKey, privateKey } = newKeys();
const stranger = newKeys();

let deployment: Deployment;
let recorder: Recorder;
let registry: Registry;
/** Campaigns with newly stored samples, in order. */
let looked: string[];
let campaign: Campaign;
let job: MeasureJob;

beforeEach(async () => {
  deployment = await Deployment.start({ publicKey });
  const { stores, dispatcher } = deployment;
  registry = new Registry();
  looked = [];
  const completion: Pick<Completion, 'check'> = { check: (id) => looked.push(id) };
  recorder = new Recorder(
    stores.samples,
    new BatchVerifier(stores.campaigns, stores.fleet, dispatcher),
    new Refusals(stores.audit),
    new Drift(stores.campaigns, stores.samples, stores.fleet),
    new RecordingMetrics(registry),
    completion as Completion,
    {} as LeaseDesk,
  );
  campaign = await deployment.campaign(4);
  job = deployment.queues.take();
});
afterEach(() => deployment.stop());

const storedSamples = async (): Promise<Sample[]> =>
  (await deployment.stores.samples.list({ campaignId: campaign.id }, { limit: 100 })).items;
const delivery = (): Promise<Delivery<'measure'>> =>
  deliveryOf(job, signedResult(job, { privateKey }), privateKey);
const metric = async (name: string): Promise<unknown> =>
  ((await registry.getMetricsAsJSON()).find((one) => one.name === name)?.values as { value: number }[]).map(
    ({ value }) => value,
  );

describe('a good result', () => {
  it('is stored with its worker, device and signatures', async () => {
    expect(await recorder.record(await delivery())).toEqual({ kind: 'stored' });
    const samples = await storedSamples();
    expect(samples.map(({ specIndex }) => specIndex).toSorted()).toEqual([0, 1]);
    for (const sample of samples) {
      expect(sample).toMatchObject({ outcome: 'ok', workerId: WORKER, deviceId: DEVICE, attempt: 1 });
      expect(sample.signature).toMatch(/^[\w-]{86}$/);
      expect(await deployment.stores.samples.provenance(sample.provenanceId ?? '')).not.toBeNull();
    }
    expect(looked).toEqual([campaign.id]);
    expect(await recorder.isDone(leaseOf(job))).toBe(true);
  });

  it('is stored once, even if it arrives several times', async () => {
    const first = await delivery();
    await recorder.record(first);
    const before = await storedSamples();
    for (const standing of ['held', 'free', 'gone'] as const) {
      expect(await recorder.record({ ...first, standing })).toEqual({ kind: 'stored' });
    }
    expect(await storedSamples()).toEqual(before);
    expect(await metric('alphaflops_samples_total')).toEqual([2]);
    expect(await metric('alphaflops_samples_duplicate_total')).toEqual([2]);
  });

  it('is stored even after its lease has ended, if nobody else has stored the batch', async () => {
    expect(await recorder.record({ ...(await delivery()), standing: 'gone' })).toEqual({ kind: 'stored' });
    expect(await storedSamples()).toHaveLength(2);
  });

  it('has an outcome for a slot that the worker omitted, and nothing for a slot that it invented', async () => {
    const result = signedResult(job, { privateKey });
    const [first] = result.results;
    if (first === undefined) throw new Error('the batch is empty');
    const results = [first, { ...first, specIndex: 99 }];
    await recorder.record(await deliveryOf(job, { ...result, results }, privateKey));
    const outcomes = (await storedSamples()).map(({ specIndex, outcome, reason }) => [
      specIndex,
      outcome,
      reason,
    ]);
    expect(outcomes.toSorted()).toEqual([
      [0, 'ok', null],
      [1, 'executor-crashed', 'the worker returned nothing for this spec'],
    ]);
  });

  it('starts the fit with the last batch', async () => {
    await recorder.record(await delivery());
    job = deployment.queues.take();
    await recorder.record(await delivery());
    expect(looked).toEqual([campaign.id, campaign.id]);
    await deployment.lifecycle.completeIfDone(campaign.id);
    expect((await deployment.now(campaign)).state).toBe('fitting');
  });
});

describe('a result that fails verification', () => {
  /** Another worker with its own device, of another class. */
  const addStranger = async () => {
    const { fleet } = deployment.stores;
    const worker = { id: 'worker-b', publicKey: stranger.publicKey, deviceIds: ['device-b'] };
    const device = { id: 'device-b', uuid: 'b', deviceClassId: 'class-b', workerId: 'worker-b' };
    await fleet.putWorker(
      buildWorker(worker),
      [buildDevice(device)],
      [buildDeviceClass({ id: 'class-b' })],
      new Map(),
    );
  };
  const byStranger = { privateKey: stranger.privateKey, workerId: 'worker-b' };

  /** The result, and the reason of its refusal. */
  const forgeries: Record<string, [make: () => Promise<Delivery<'measure'>>, reason: string]> = {
    'sealed with the key of another worker': [
      async () => deliveryOf(job, signedResult(job, { privateKey }), stranger.privateKey),
      `it is not signed by ${WORKER} for this batch, attempt and device`,
    ],
    'with a body that was changed after sealing': [
      async () => {
        const sent = await delivery();
        const other = await deliveryOf(
          job,
          signedResult(job, { privateKey, measurement: goodMeasurement(2) }),
          privateKey,
        );
        return { ...sent, body: other.body };
      },
      `it is not signed by ${WORKER} for this batch, attempt and device`,
    ],
    'in the name of another worker': [
      async () => ({ ...(await delivery()), workerId: 'worker-b' }),
      `it names worker ${WORKER}, but`,
    ],
    'of a device of another worker': [
      async () => deliveryOf(job, signedResult(job, { privateKey, deviceId: 'device-b' }), privateKey),
      `device-b is not a device of ${WORKER}`,
    ],
    'of a device of another class': [
      async () =>
        deliveryOf(job, signedResult(job, { ...byStranger, deviceId: 'device-b' }), stranger.privateKey),
      'it was measured on device-b, but the batch is for another target',
    ],
    'of another batch, replayed': [
      async () => {
        const other = deployment.queues.take();
        const replayed = await deliveryOf(other, signedResult(other, { privateKey }), privateKey);
        return { ...replayed, lease: leaseOf(job) };
      },
      'it belongs to another batch',
    ],
    'of an earlier attempt': [
      async () => ({ ...(await delivery()), lease: leaseOf(job, 2) }),
      'it belongs to attempt 1, but the lease belongs to attempt 2',
    ],
    'with an attempt that was changed after sealing': [
      async () => {
        const sent = await delivery();
        return { ...sent, lease: leaseOf(job, 2), result: { ...sent.result, attempt: 2 } };
      },
      `it is not signed by ${WORKER} for this batch, attempt and device`,
    ],
    'with samples that another worker has signed': [
      async () => deliveryOf(job, signedResult(job, { privateKey: stranger.privateKey }), privateKey),
      `in it is not signed by ${WORKER} for this batch, attempt and device`,
    ],
    'with a malformed body': [
      async () => {
        const label = { workerId: WORKER, deviceId: DEVICE, attempt: 1, batchDigest: batchDigest(job) };
        const { seal: result, body } = await seal(label, { results: [] }, privateKey);
        return { ...(await delivery()), result, body };
      },
      'it is malformed (provenance:',
    ],
  };

  it.each(Object.entries(forgeries))('%s is refused', async (_name, [make, reason]) => {
    await addStranger();
    const sent = await make();
    const refused = await recorder.record(sent);
    expect(refused).toMatchObject({ kind: 'refused', again: true });
    expect('reason' in refused && refused.reason).toContain(reason);
    expect(await storedSamples()).toEqual([]);
    expect(looked).toEqual([]);
    const { items } = await deployment.stores.audit.list({ limit: 10 });
    expect(items).toMatchObject([
      { action: 'samples.refuse', targetId: sent.lease.id, actor: { name: `results of ${sent.workerId}` } },
    ]);
  });

  it('is refused when it has an impossible time', async () => {
    const large = { ...buildSpec(0), height: 224, width: 224, cin: 512, cout: 512 };
    campaign = await deployment.campaign([large]);
    deployment.queues.take();
    job = deployment.queues.take();
    const result = signedResult(job, { privateKey, measurement: goodMeasurement(1e-5) });
    const refused = await recorder.record(await deliveryOf(job, result, privateKey));
    expect('reason' in refused && refused.reason).toMatch(
      /^the time of spec 0 is impossible: 0\.00001 ms for 1\.2e\+11 multiply-adds/,
    );
    expect(await storedSamples()).toEqual([]);
  });

  it('is refused when its worker was revoked', async () => {
    const sent = await delivery();
    await deployment.stores.fleet.patchWorker(WORKER, { desiredState: 'revoked', stateReason: 'stolen' });
    expect(await recorder.record(sent)).toMatchObject({ reason: `${WORKER} is revoked` });
    expect(await storedSamples()).toEqual([]);
  });

  it('is refused when its worker has no signing key', async () => {
    const { fleet } = deployment.stores;
    const worker = { id: 'worker-c', deviceIds: ['device-c'] };
    await fleet.putWorker(
      buildWorker(worker),
      [buildDevice({ id: 'device-c', uuid: 'c', workerId: 'worker-c' })],
      [buildDeviceClass({ id: CLASS })],
      new Map(),
    );
    const result = signedResult(job, { privateKey, workerId: 'worker-c', deviceId: 'device-c' });
    expect(await recorder.record(await deliveryOf(job, result, privateKey))).toMatchObject({
      reason: 'worker-c has no signing key',
    });
  });

  it('is refused when its batch does not exist, and is not measured again', async () => {
    const sent = await delivery();
    for (const id of ['campaign-x.b0', `${campaign.id}.b2`, 'no batch']) {
      expect(await recorder.record({ ...sent, lease: { ...sent.lease, id } })).toEqual({
        ...{ kind: 'refused', reason: `${id} is not a batch of a campaign here`, again: false },
      });
    }
    const elsewhere = { ...sent, lease: { ...sent.lease, targetId: 'class-b' } };
    expect(await recorder.record(elsewhere)).toMatchObject({ kind: 'refused', again: false });
  });

  it('ends the batch when it is the third one', async () => {
    const forged = await deliveryOf(job, signedResult(job, { privateKey }), stranger.privateKey);
    expect(await recorder.record(forged)).toMatchObject({ again: true });
    expect(await recorder.record(forged)).toMatchObject({ again: true });
    expect(await storedSamples()).toEqual([]);
    expect(await recorder.record(forged)).toMatchObject({ kind: 'refused', again: false });
    const samples = await storedSamples();
    expect(samples).toHaveLength(2);
    for (const sample of samples) {
      expect(sample).toMatchObject({ outcome: 'executor-crashed', workerId: null, signature: null });
      expect(sample.reason).toBe(
        `the batch failed after 1 attempt: it is not signed by ${WORKER} for this batch, attempt and device`,
      );
    }
    expect(looked).toEqual([campaign.id]);
    expect(await metric('alphaflops_batches_total')).toEqual([1]);
  });

  it('does not end a batch that its sender does not hold', async () => {
    const forged = await deliveryOf(job, signedResult(job, { privateKey }), stranger.privateKey);
    for (let time = 1; time <= 4; time += 1) await recorder.record({ ...forged, standing: 'free' });
    expect(await storedSamples()).toEqual([]);
    expect(await recorder.record(await delivery())).toEqual({ kind: 'stored' });
  });

  it('is not counted any more after the batch has ended', async () => {
    const forged = await deliveryOf(job, signedResult(job, { privateKey }), stranger.privateKey);
    await recorder.record(forged);
    await recorder.record(forged);
    await recorder.record(await delivery());
    expect(await recorder.record(forged)).toMatchObject({ kind: 'refused', again: true });
  });
});

describe('a batch that failed in all attempts', () => {
  it('has a sample in each slot, with the reason', async () => {
    await recorder.recordFailure({ ...leaseOf(job, 3), reason: 'the driver hung' });
    expect(await storedSamples()).toMatchObject(
      [0, 1].map(() => ({
        ...{ outcome: 'executor-crashed', attempt: 3, deviceId: null, timing: null },
        reason: 'the batch failed after 3 attempts: the driver hung',
      })),
    );
    expect(looked).toEqual([campaign.id]);
    expect(await recorder.isDone(leaseOf(job))).toBe(true);
  });

  it('does not replace stored samples', async () => {
    await recorder.record(await delivery());
    await recorder.recordFailure({ ...leaseOf(job, 3), reason: 'too late' });
    expect((await storedSamples()).map(({ outcome }) => outcome)).toEqual(['ok', 'ok']);
  });

  it('changes nothing when its campaign does not exist', async () => {
    await recorder.recordFailure({ ...leaseOf(job, 3), id: 'campaign-x.b0', reason: 'why' });
    expect(looked).toEqual([]);
  });
});

describe('a batch that is handed out again', () => {
  it('counts as done when it is stored, when its campaign has ended, and when it does not exist', async () => {
    expect(await recorder.isDone(leaseOf(job))).toBe(false);
    expect(await recorder.isDone({ ...leaseOf(job), id: 'campaign-x.b0' })).toBe(true);
    await deployment.lifecycle.cancel(campaign.id, 'enough');
    expect(await recorder.isDone(leaseOf(job))).toBe(true);
  });
});
