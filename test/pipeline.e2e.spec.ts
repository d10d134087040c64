import type { components } from '@alphaflops/api-client';
import { fakeSpec, fakeTimeMs } from '@alphaflops/executor/testing';
import { readAllSamples, writeSpecs } from '@alphaflops/dataset';
import type { ConvSpec } from '@alphaflops/conv';
import { end, Stack, until } from './support/stack.js';

type Campaign = components['schemas']['Campaign'];
type Progress = components['schemas']['CampaignProgress'];
type CampaignRequest = components['schemas']['CampaignRequestInput'];

/** The time of a batch of slow fake specs: long enough for a kill in the middle. */
const SLOW_MS = 150;

let stack: Stack;
beforeEach(async () => {
  stack = await Stack.start({ ALPHAFLOPS_BATCH_SPECS: '5' });
}, 60_000);
afterEach(async () => {
  await stack.stop();
}, 60_000);

async function csvOf(specs: Iterable<ConvSpec>): Promise<string> {
  const pieces: string[] = [];
  for await (const piece of writeSpecs([...specs])) pieces.push(piece);
  return pieces.join('');
}

/** Distinct specs that each keep the fake executor busy for about SLOW_MS. */
function slowSpecs(count: number): ConvSpec[] {
  return Array.from({ length: count }, (_, i) => fakeSpec('slow', { width: SLOW_MS, cin: i + 1, cout: 8 }));
}

async function deviceClassId(): Promise<string> {
  const { data } = await stack.api.GET('/v1/device-classes');
  return data?.items[0]?.id ?? '';
}

async function create(request: Omit<CampaignRequest, 'name' | 'target'>): Promise<Campaign> {
  const target = { kind: 'device-class' as const, deviceClassId: await deviceClassId() };
  const { data } = await stack.api.POST('/v1/campaigns', {
    body: { name: 'test', repeats: 0, target, ...request },
  });
  return data as Campaign;
}

async function progress(id: string): Promise<Progress> {
  const { data } = await stack.api.GET('/v1/campaigns/{id}/progress', { params: { path: { id } } });
  return data as Progress;
}

const ended = ({ state }: Progress) => ['completed', 'failed', 'cancelled'].includes(state);

/** Every stored sample of a campaign, one per line of the stream. */
async function storedSamples(campaignId: string) {
  const answer = await fetch(`${stack.url}/v1/samples/stream?campaignId=${campaignId}`, {
    headers: { authorization: `Bearer ${stack.token}` },
  });
  return (await answer.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as components['schemas']['Sample']);
}

/** Exactly one sample for each planned spec. */
async function expectEachOnce(campaign: Campaign): Promise<void> {
  const indices = (await storedSamples(campaign.id)).map(({ specIndex }) => specIndex).sort((a, b) => a - b);
  expect(indices).toEqual(Array.from({ length: campaign.plannedSpecs }, (_, i) => i));
}

describe('from enrolment to prediction', () => {
  it('measures a campaign, fits, publishes and answers', async () => {
    stack.startWorker(await stack.enrol('node'));
    const campaign = await create({
      design: { name: 'networklike', seed: 7 },
      budget: { specs: 60 },
      constraints: { maxMacs: 1e8, allowGroups: false },
      repeats: 0.1,
    });
    expect(campaign).toMatchObject({ state: 'planned', plannedSpecs: 60, plannedSlots: 60 });

    const final = await until(() => progress(campaign.id), ended);
    expect(final).toMatchObject({ state: 'completed', recordedSlots: 66, outcomes: { ok: 66 } });
    // Six shapes were visited again, each by the device that had measured it before.
    const visits = new Map<number, string[]>();
    for (const { specIndex, deviceId } of await storedSamples(campaign.id)) {
      visits.set(specIndex, [...(visits.get(specIndex) ?? []), deviceId ?? '']);
    }
    expect(visits.size).toBe(60);
    const twice = [...visits.values()].filter(({ length }) => length === 2);
    expect(twice).toHaveLength(6);
    for (const [first, second] of twice) expect(second).toBe(first);
    expect(final.noiseFloor).toMatchObject({ shapes: 6 });
    const { data: published } = await stack.api.GET('/v1/models/{id}', {
      params: { path: { id: final.modelId ?? '' } },
    });
    expect(published?.noiseFloor).toEqual(final.noiseFloor);

    // The fake device takes 20 µs and 1 ns for 20 multiply-adds. The model must reproduce this law.
    const layer = { height: 56, width: 56, cin: 32, cout: 64, kernel_h: 3, kernel_w: 3 };
    const { data: predictions } = await stack.api.POST('/v1/predictions', {
      body: { model: { kind: 'device-class', deviceClassId: campaign.deviceClassId }, layers: [layer] },
    });
    expect(predictions?.modelId).toBe(final.modelId);
    const truth = fakeTimeMs({ ...fakeSpec('slow'), ...layer });
    expect(predictions?.layers[0]?.predictedMs).toBeGreaterThan(truth * 0.95);
    expect(predictions?.layers[0]?.predictedMs).toBeLessThan(truth * 1.05);

    // The same layer in a network file gives the same prediction, and a file of another kind is refused with a
    // message.
    const network = (json: unknown, more: object = {}) =>
      stack.api.POST('/v1/predictions', {
        body: {
          model: { kind: 'device-class', deviceClassId: campaign.deviceClassId },
          network: { file: Buffer.from(JSON.stringify(json)).toString('base64'), ...more },
        },
      });
    const conv = { name: 'c', filters: 64, kernel_size: 3, padding: 'same', data_format: 'channels_first' };
    const image = { name: 'i', batch_shape: [null, 32, 56, 56] };
    const layers = [
      { class_name: 'InputLayer', config: image },
      { class_name: 'Conv2D', config: conv },
      { class_name: 'ReLU', config: {} },
    ];
    const { data: ofFile } = await network({ class_name: 'Sequential', config: { name: 'one', layers } });
    expect(ofFile?.layers).toEqual(predictions?.layers);
    expect(ofFile?.network).toMatchObject({
      name: 'one',
      layers: [{ name: 'c' }],
      notCosted: [{ op: 'ReLU' }],
    });
    // The sizes of an input that the file leaves open, and the sizes of a reshape that are in the weight file.
    const open = { shape: { shape: { dim: [{ size: '-1' }, { size: '-1' }] } } };
    const constant = (name: string, dtype: string, ...sizes: string[]) => ({
      ...{ name, op: 'Const' },
      attr: { value: { tensor: { dtype, tensorShape: { dim: sizes.map((size) => ({ size })) } } } },
    });
    const graph = {
      modelTopology: {
        node: [
          { name: 'x', op: 'Placeholder', attr: open },
          constant('shape', 'DT_INT32', '2'),
          constant('w', 'DT_FLOAT', '8', '5'),
          { name: 'rows', op: 'Reshape', input: ['x', 'shape'] },
          { name: 'dense', op: 'MatMul', input: ['rows', 'w'] },
        ],
      },
      weightsManifest: [{ paths: ['group1.bin'], weights: [{ name: 'shape', shape: [2], dtype: 'int32' }] }],
    };
    const shape = Buffer.from(new Int32Array([-1, 8]).buffer).toString('base64');
    const { data: sized } = await network(graph, { inputs: { x: [6, 4] }, weights: { 'group1.bin': shape } });
    expect(sized?.network?.layers[0]?.spec).toMatchObject({ height: 3, width: 1, cin: 8, cout: 5 });
    await expect(network(graph, { inputs: { y: [6, 4] } })).rejects.toMatchObject({ status: 400 });
    await expect(network({ hello: 1 })).rejects.toMatchObject({ status: 400, code: 'invalid-request' });

    // The API answers while it reads a large file. Energy was not measured, so there are no emissions.
    const node = Array.from({ length: 300_000 }, (_, at) => ({ name: String(at), op: 'Relu' }));
    let isRead = false as boolean;
    const slow = network({ modelTopology: { node } }).finally(() => (isRead = true));
    let longestMs = 0;
    while (!isRead) {
      const startedAt = performance.now();
      expect((await fetch(`${stack.url}/healthz`)).status).toBe(200);
      longestMs = Math.max(longestMs, performance.now() - startedAt);
    }
    await expect(slow).rejects.toMatchObject({
      status: 400,
      message: expect.stringMatching(/100000 operators/),
    });
    expect(longestMs).toBeLessThan(1500);
    const { data: emitted } = await stack.api.POST('/v1/predictions', {
      body: {
        model: { kind: 'device-class', deviceClassId: campaign.deviceClassId },
        layers: [layer],
        gridIntensityGramsPerKwh: 300,
      },
    });
    expect(emitted).toMatchObject({ total: { energyWh: null }, emissions: null });

    const { data: model } = await stack.api.GET('/v1/models/{id}', {
      params: { path: { id: final.modelId ?? '' } },
    });
    expect(model).toMatchObject({ version: 1, campaignId: campaign.id, data: { samples: 66 } });
    const card = await fetch(`${stack.url}/v1/models/${final.modelId ?? ''}/card`, {
      headers: { authorization: `Bearer ${stack.token}` },
    });
    expect(await card.text()).toContain(`# Model ${final.modelId ?? ''}`);
    const csv = await fetch(`${stack.url}/v1/samples/stream?campaignId=${campaign.id}&format=csv`, {
      headers: { authorization: `Bearer ${stack.token}` },
    });
    expect(await readAllSamples(await csv.text(), 'export.csv')).toHaveLength(66);
  }, 120_000);

  it('does not serve a worse model until an operator publishes it', async () => {
    stack.startWorker(await stack.enrol('node'));
    const campaign = await create({
      design: { name: 'networklike', seed: 8 },
      budget: { specs: 60 },
      constraints: { maxMacs: 1e8, allowGroups: false },
    });
    const { modelId: good } = await until(() => progress(campaign.id), ended);
    const byClass = { params: { path: { id: campaign.deviceClassId } } };
    const served = async () =>
      (await stack.api.GET('/v1/device-classes/{id}/models/latest', byClass)).data?.id;
    expect(await served()).toBe(good);

    // Time is not proportional to FLOPs here.
    const asked = await stack.api.POST('/v1/device-classes/{id}/fits', {
      ...byClass,
      body: { form: 'flops' },
    });
    const fit = await until(
      async () =>
        (await stack.api.GET('/v1/fits/{id}', { params: { path: { id: asked.data?.id ?? '' } } })).data,
      (state) => state?.state === 'completed' || state?.state === 'failed',
    );
    const worse = fit?.modelId ?? '';
    expect(fit?.reason).toMatch(/^worse: median error .* of the served model/);
    expect(await served()).toBe(good);
    const { data: listed } = await stack.api.GET('/v1/models', {
      params: { query: { deviceClassId: campaign.deviceClassId } },
    });
    const [newest] = listed?.items ?? [];
    expect(newest).toMatchObject({ id: worse, status: 'candidate', statusReason: fit?.reason });

    const { data: diff } = await stack.api.GET('/v1/models/{id}/diff/{other}', {
      params: { path: { id: good ?? '', other: worse } },
    });
    expect(diff?.origin.find(({ what }) => what === 'chosen form')?.after).toBe('flops');

    const change = (what: 'promote' | 'retire', id: string) =>
      fetch(`${stack.url}/v1/models/${id}/${what}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${stack.token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ reason: 'it is simple' }),
      });
    expect(await (await change('promote', worse)).json()).toMatchObject({
      ...{ id: worse, status: 'published', statusReason: 'it is simple' },
    });
    expect(await served()).toBe(worse);
    expect(await (await change('promote', good ?? '')).json()).toMatchObject({
      status: 409,
      code: 'wrong-state',
    });
    expect((await change('retire', worse)).status).toBe(200);
    expect(await served()).toBe(good);
    expect((await change('retire', 'no-such-model')).status).toBe(404);
  }, 120_000);

  it('reports progress as events until the end, and stores failures with their reason', async () => {
    stack.startWorker(await stack.enrol('node'));
    const specs = [fakeSpec('crash'), fakeSpec('out-of-memory'), fakeSpec('unsupported'), fakeSpec('throw')];
    const campaign = await create({
      design: { name: 'csv', csv: await csvOf([...specs, ...slowSpecs(12)]) },
      budget: { specs: 100 },
      fit: { form: 'flops' },
    });
    const events = await fetch(`${stack.url}/v1/campaigns/${campaign.id}/events`, {
      headers: { authorization: `Bearer ${stack.token}` },
    });
    expect(events.headers.get('content-type')).toContain('text/event-stream');
    const seen = (await events.text())
      .split('\n')
      .filter((line) => line.startsWith('data: '))
      .map((line) => JSON.parse(line.slice(6)) as Progress);
    expect(seen.at(-1)).toMatchObject({
      state: 'completed',
      outcomes: { ok: 12, 'executor-crashed': 2, 'out-of-memory': 1, unsupported: 1 },
    });
    const recorded = seen.map(({ recordedSlots }) => recordedSlots);
    expect(recorded).toEqual([...recorded].sort((a, b) => a - b));
    for (const sample of await storedSamples(campaign.id)) {
      expect([sample.outcome, sample.reason === null]).toEqual([sample.outcome, sample.outcome === 'ok']);
    }
  }, 120_000);

  it('pauses, resumes and cancels', async () => {
    const worker = stack.startWorker(await stack.enrol('node'));
    const campaign = await create({
      design: { name: 'csv', csv: await csvOf(slowSpecs(60)) },
      budget: { specs: 60 },
    });
    const path = { params: { path: { id: campaign.id } }, body: { reason: 'lunch' } };
    await until(
      () => progress(campaign.id),
      ({ recordedSlots }) => recordedSlots > 0,
    );
    await stack.api.POST('/v1/campaigns/{id}/pause', path);
    // The present batches are still delivered. After the worker has left, no other batch can follow.
    await end(worker.child, 'SIGTERM');
    const paused = await progress(campaign.id);
    expect(paused).toMatchObject({ state: 'paused', reason: 'lunch' });
    expect(paused.recordedSlots).toBeLessThan(60);
    await expect(stack.api.POST('/v1/campaigns/{id}/pause', path)).rejects.toMatchObject({
      code: 'wrong-state',
    });

    stack.startWorker(await stack.enrol('another'));
    await stack.api.POST('/v1/campaigns/{id}/resume', path);
    await until(
      () => progress(campaign.id),
      ({ recordedSlots }) => recordedSlots > paused.recordedSlots,
    );
    await stack.api.POST('/v1/campaigns/{id}/cancel', path);
    expect((await progress(campaign.id)).state).toBe('cancelled');
    const { data: history } = await stack.api.GET('/v1/campaigns/{id}', { params: path.params });
    expect(history?.history.map(({ state }) => state)).toEqual([
      'draft',
      'planned',
      'running',
      'paused',
      'running',
      'cancelled',
    ]);
  }, 120_000);
});

describe('nothing lost, nothing twice', () => {
  it('survives SIGKILL of the worker in mid-batch', async () => {
    const first = stack.startWorker(await stack.enrol('first'));
    const campaign = await create({
      design: { name: 'csv', csv: await csvOf(slowSpecs(40)) },
      budget: { specs: 40 },
    });
    await until(
      () => progress(campaign.id),
      ({ recordedSlots }) => recordedSlots > 0,
    );
    // Two devices of one worker take batches in turn without a break: the next one is in work now.
    await end(first.child, 'SIGKILL');
    const atDeath = await progress(campaign.id);
    expect(atDeath.recordedSlots).toBeLessThan(40);

    stack.startWorker(await stack.enrol('second'));
    const final = await until(() => progress(campaign.id), ended);
    expect(final).toMatchObject({ state: 'completed', recordedSlots: 40 });
    await expectEachOnce(campaign);
    const samples = await storedSamples(campaign.id);
    expect(Math.max(...samples.map(({ attempt }) => attempt))).toBeGreaterThan(1);
    expect(new Set(samples.map(({ workerId }) => workerId)).size).toBe(2);
  }, 120_000);

  it('survives SIGKILL of the coordinator while results arrive', async () => {
    stack.startWorker(await stack.enrol('node'));
    const campaign = await create({
      design: { name: 'csv', csv: await csvOf(slowSpecs(40)) },
      budget: { specs: 40 },
    });
    await until(
      () => progress(campaign.id),
      ({ recordedSlots }) => recordedSlots > 0,
    );
    await stack.stopCoordinator('SIGKILL');
    await stack.startCoordinator();
    const final = await until(() => progress(campaign.id), ended);
    expect(final).toMatchObject({ state: 'completed', recordedSlots: 40 });
    await expectEachOnce(campaign);
  }, 120_000);

  it('survives SIGKILL of Redis and its restart', async () => {
    stack.startWorker(await stack.enrol('node'));
    const campaign = await create({
      design: { name: 'csv', csv: await csvOf(slowSpecs(40)) },
      budget: { specs: 40 },
    });
    await until(
      () => progress(campaign.id),
      ({ recordedSlots }) => recordedSlots > 0,
    );
    await stack.crashRedis();
    const final = await until(() => progress(campaign.id), ended);
    expect(final).toMatchObject({ state: 'completed', recordedSlots: 40 });
    await expectEachOnce(campaign);
  }, 120_000);

  it('survives a queue that has forgotten everything', async () => {
    const credentials = await stack.enrol('node');
    const campaign = await create({
      design: { name: 'csv', csv: await csvOf(slowSpecs(20)) },
      budget: { specs: 20 },
    });
    await until(
      () => progress(campaign.id),
      ({ state }) => state === 'running',
    );
    expect((await progress(campaign.id)).waitingFor).toContain('no worker is online');
    await stack.forgetQueue();
    stack.startWorker(credentials);
    const final = await until(() => progress(campaign.id), ended);
    expect(final).toMatchObject({ state: 'completed', recordedSlots: 20, waitingFor: null });
    await expectEachOnce(campaign);
  }, 120_000);

  it('executes a repeated request once', async () => {
    await stack.enrol('node');
    const body = {
      name: 'once',
      design: { name: 'networklike' as const, seed: 1 },
      budget: { specs: 10 },
      target: { kind: 'device-class' as const, deviceClassId: await deviceClassId() },
    };
    const headers = { 'Idempotency-Key': 'the-same' };
    const first = await stack.api.POST('/v1/campaigns', { body, headers });
    const second = await stack.api.POST('/v1/campaigns', { body, headers });
    expect(second.data?.id).toBe(first.data?.id);
    expect(second.response.headers.get('idempotent-replayed')).toBe('true');
    await expect(
      stack.api.POST('/v1/campaigns', { body: { ...body, name: 'another' }, headers }),
    ).rejects.toMatchObject({ code: 'idempotency-key-reused', status: 422 });
    const { data } = await stack.api.GET('/v1/campaigns');
    expect(data?.items).toHaveLength(1);
  }, 60_000);
});
