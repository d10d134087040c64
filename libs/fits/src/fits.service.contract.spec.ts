import type { FitJob, Model } from '@alphaflops/contracts';
import { GiveUp } from '@alphaflops/queue';
import type { Stores } from '@alphaflops/store';
import { buildCampaign, buildDeviceClass, buildModelDraft } from '@alphaflops/store/conformance';
import { openTemporaryStores } from '@alphaflops/store-sqlite/testing';
import { Logger } from '@nestjs/common';
import { Registry } from 'prom-client';
import { FitMetrics } from './fit-metrics.js';
import type { FitRunner } from './fit-runner.js';
import { FitsService } from './fits.service.js';
import { answered, TestRedis } from './redis.spec-helper.js';

const CLASS = 'class-a';
const REQUEST = { form: 'auto', seed: 5 };
const model = (part: Partial<Model> = {}): Model => ({
  ...{ ...buildModelDraft(), id: 'class-a-v1', version: 1 },
  ...part,
});

/** Ends fits with the results that a test gives, one after the other. */
class FakeRunner {
  readonly ends: (Model | Error)[] = [];
  readonly jobs: FitJob[] = [];
  run(job: FitJob): Promise<Model> {
    this.jobs.push(job);
    const end = this.ends.shift() ?? new GiveUp('the test gave no result for this fit');
    return end instanceof Error ? Promise.reject(end) : Promise.resolve(end);
  }
}

let redis: TestRedis;
let stores: Stores;
let cleanUp: () => Promise<void>;
let runner: FakeRunner;
/** A process that does not fit. */
let service: FitsService;
const start = (fits: boolean) =>
  redis.run((connection) => {
    const metrics = new FitMetrics(new Registry());
    const does = runner as unknown as FitRunner;
    return new FitsService({ fits }, connection, does, stores.fleet, stores.audit, metrics);
  });
beforeAll(async () => {
  Logger.overrideLogger(false);
  redis = await TestRedis.start();
}, 30_000);
beforeEach(async () => {
  ({ stores, cleanUp } = await openTemporaryStores());
  await stores.fleet.addDeviceClass(buildDeviceClass({ id: CLASS }));
  runner = new FakeRunner();
  service = await start(false);
});
afterEach(async () => {
  await redis.end();
  await cleanUp();
});
afterAll(() => redis.stop());

const request = () => service.requestForDeviceClass(CLASS, REQUEST);
const ended = (id: string) =>
  answered(async () => {
    const state = await service.state(id);
    return state.state === 'completed' || state.state === 'failed' ? state : null;
  });
const audit = async () => (await stores.audit.list({ limit: 10 })).items;

describe('a fit that was requested by hand', () => {
  it('waits for a process that fits, and ends with the model that it publishes', async () => {
    const { id, ...rest } = await request();
    expect(rest).toEqual({ state: 'waiting', modelId: null, reason: null });
    runner.ends.push(model());
    await start(true);
    expect(await ended(id)).toEqual({ id, state: 'completed', modelId: 'class-a-v1', reason: null });
    expect(runner.jobs).toEqual([{ id, deviceClassId: CLASS, campaignId: null, request: REQUEST }]);
    expect(await audit()).toMatchObject([
      {
        ...{ action: 'models.publish', targetId: 'class-a-v1', status: null },
        actor: { kind: 'system', name: 'fit' },
      },
    ]);
  });

  it('gives the reason if its model is only a candidate', async () => {
    await start(true);
    runner.ends.push(model({ status: 'candidate', statusReason: 'it is worse' }));
    const { id } = await request();
    expect(await ended(id)).toMatchObject({
      state: 'completed',
      modelId: 'class-a-v1',
      reason: 'it is worse',
    });
    expect((await audit()).map(({ action }) => action)).toEqual(['models.keep-back']);
  });

  it('fails once if nothing can be fitted, and is tried again if the store was unreachable', async () => {
    await start(true);
    runner.ends.push(new GiveUp('there are no samples'));
    const { id } = await request();
    const failed = { id, state: 'failed', modelId: null, reason: 'there are no samples' };
    expect(await ended(id)).toEqual(failed);
    expect(runner.jobs).toHaveLength(1);
    expect(await audit()).toEqual([]);
    runner.ends.push(new Error('the store is away'), model());
    const again = await request();
    expect(await ended(again.id)).toMatchObject({ state: 'completed' });
    expect(runner.jobs.slice(1).map((job) => job.id)).toEqual([again.id, again.id]);
  });

  it('is a new fit for each request, and the same model is one entry of the audit log', async () => {
    await start(true);
    runner.ends.push(model(), model());
    const ids = [(await request()).id, (await request()).id];
    for (const id of ids) await ended(id);
    expect(new Set(ids).size).toBe(2);
    expect(await audit()).toHaveLength(1);
  });

  it('is refused for an unknown device class; an unknown fit is not found', async () => {
    await expect(service.requestForDeviceClass('class-x', REQUEST)).rejects.toMatchObject({
      ...{ status: 404, message: 'There is no device class "class-x".' },
    });
    await expect(service.state('fit-x')).rejects.toMatchObject({
      ...{ status: 404, code: 'not-found', message: 'There is no fit "fit-x".' },
    });
  });
});

describe('the fit of a campaign', () => {
  it('is one fit for any number of requests, and its result stays available', async () => {
    const campaign = buildCampaign({ state: 'fitting' });
    expect(await service.requestForCampaign(campaign)).toBeNull();
    expect(await service.requestForCampaign(campaign)).toBeNull();
    runner.ends.push(model({ status: 'candidate', statusReason: 'it is worse' }));
    await start(true);
    const end = { ok: true, modelId: 'class-a-v1', candidateReason: 'it is worse' };
    expect(await answered(() => service.requestForCampaign(campaign))).toEqual(end);
    expect(await service.requestForCampaign(campaign)).toEqual(end);
    const { deviceClassId, id: campaignId } = campaign;
    expect(runner.jobs).toEqual([{ deviceClassId, campaignId, request: campaign.request.fit }]);
  });

  it('ends with the reason if no model could be fitted', async () => {
    await start(true);
    const campaign = buildCampaign({ state: 'fitting' });
    runner.ends.push(new GiveUp('too few shapes'));
    const end = await answered(() => service.requestForCampaign(campaign));
    expect(end).toEqual({ ok: false, reason: 'too few shapes' });
  });
});
