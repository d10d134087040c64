import type { components } from '@alphaflops/api-client';
import { fakeSpec } from '@alphaflops/executor/testing';
import { Stack, until } from './support/stack.js';

type Campaign = components['schemas']['Campaign'];
type Progress = components['schemas']['CampaignProgress'];
type Request = components['schemas']['CampaignRequest'];

let stack: Stack;
beforeEach(async () => {
  stack = await Stack.start({ ALPHAFLOPS_BATCH_SPECS: '5' });
}, 60_000);
afterEach(async () => {
  await stack.stop();
}, 60_000);

async function create(part: Partial<Request>): Promise<Campaign> {
  const { data: classes } = await stack.api.GET('/v1/device-classes');
  const { data } = await stack.api.POST('/v1/campaigns', {
    body: {
      name: 'good enough',
      design: { name: 'networklike', seed: 3 },
      target: { kind: 'device-class', deviceClassId: classes?.items[0]?.id ?? '' },
      budget: { specs: 400, targetError: 0.05 },
      constraints: { maxMacs: 1e8 },
      ...part,
    },
  });
  return data as Campaign;
}

async function campaignNow({ id }: Campaign): Promise<Campaign> {
  const { data } = await stack.api.GET('/v1/campaigns/{id}', { params: { path: { id } } });
  return data as Campaign;
}

async function progress({ id }: Campaign): Promise<Progress> {
  const { data } = await stack.api.GET('/v1/campaigns/{id}/progress', { params: { path: { id } } });
  return data as Progress;
}

const ended = (campaign: Campaign): Promise<Progress> =>
  until(
    () => progress(campaign),
    ({ state }) => ['completed', 'failed', 'cancelled'].includes(state),
  );

/** Waiting and active jobs of all measurement queues. */
async function openJobs(): Promise<number> {
  const answer = await fetch(`${stack.url}/metrics`, {
    headers: { authorization: `Bearer ${stack.token}` },
  });
  const lines = (await answer.text()).matchAll(/^alphaflops_queue_jobs\{queue="measure [^}]*\} (\d+)$/gm);
  return [...lines].reduce((sum, [, jobs]) => sum + Number(jobs), 0);
}

async function restartCoordinator(): Promise<void> {
  await stack.stopCoordinator('SIGKILL');
  await stack.startCoordinator();
}

it('stops when the model is good enough, also after SIGKILL of the coordinator', async () => {
  stack.startWorker(await stack.enrol('node'));
  const campaign = await create({});
  expect(campaign).toMatchObject({
    plannedSpecs: 75,
    plannedSlots: 75,
    rounds: { testSpecs: 0, ends: [50, 75], storedSpecs: 400 },
  });
  await until(
    () => progress(campaign),
    ({ recordedSlots }) => recordedSlots >= 50,
  );
  await restartCoordinator();
  const final = await ended(campaign);
  // The law of the fake device is one of the forms, so the first fit with enough held-out samples is good.
  expect(final).toMatchObject({ state: 'completed', targetError: 0.05, forecast: null });
  expect(final.stop).toMatchObject({ kind: 'target-reached' });
  expect(final.recordedSlots).toBeGreaterThanOrEqual(50);
  expect(final.recordedSlots).toBeLessThan(200);
  expect(final.totalSlots).toBe(final.recordedSlots);
  const { history, learning = [], modelId } = await campaignNow(campaign);
  expect(learning.at(-1)?.medianApe).toBeLessThan(0.05);
  expect(learning.at(-1)?.deviceSeconds).toBeGreaterThanOrEqual(0);
  const stops = history.filter(({ state }) => state === 'fitting');
  expect(stops.map(({ reason }) => reason)).toEqual([final.stop?.reason]);
  expect(await openJobs()).toBe(0);
  const { data: model } = await stack.api.GET('/v1/models/{id}', { params: { path: { id: modelId ?? '' } } });
  expect(model?.data.shapes).toBeGreaterThanOrEqual(50);
}, 180_000);

it('continues in rounds, with repeated shapes in addition, until the budget is used', async () => {
  stack.startWorker(await stack.enrol('node'));
  // No model of a device is this good.
  const campaign = await create({ budget: { specs: 130, targetError: 1e-9 }, repeats: 0.1 });
  const final = await ended(campaign);
  expect(final.stop).toMatchObject({ kind: 'budget' });
  const { rounds, learning = [], repeats, plannedSlots } = await campaignNow(campaign);
  const ends = rounds?.ends ?? [];
  expect([...ends.slice(0, 2), ends.at(-1)]).toEqual([50, 75, 130]);
  // A round adds at least 25 shapes, and more if the last fit took long.
  const sizes = ends.slice(1, -1).map((end, i) => end - (ends[i] ?? NaN));
  expect(Math.min(...sizes)).toBeGreaterThanOrEqual(25);
  expect(learning).toHaveLength(ends.length - 1);
  expect(repeats?.specIndexes).toHaveLength(10);
  expect(plannedSlots).toBe(140);
  expect(final).toMatchObject({ recordedSlots: 140, totalSlots: 140, outcomes: { ok: 140 } });
  expect(final.noiseFloor?.shapes).toBe(10);
}, 180_000);

it('continues in rounds that it chooses from the measurements', async () => {
  stack.startWorker(await stack.enrol('node'));
  const design: Request['design'] = { name: 'adaptive', seed: 2, rounds: 8 };
  const campaign = await create({ design, budget: { specs: 150, targetError: 1e-9 }, repeats: 0 });
  expect(campaign.rounds).toEqual({ testSpecs: 30, ends: [80, 105] });
  const final = await ended(campaign);
  expect(final).toMatchObject({ recordedSlots: 150, stop: { kind: 'budget' }, outcomes: { ok: 150 } });
  const { learning = [] } = await campaignNow(campaign);
  expect(learning.map(({ judgedBy }) => judgedBy)).toEqual(learning.map(() => 30));
}, 180_000);

it('stops at its time limit, and fits the measured samples', async () => {
  stack.startWorker(await stack.enrol('node'));
  // The first twenty are quick, the others take a second each.
  const quick = Array.from({ length: 20 }, (_, i) => `${8 + i},8,4,4,3,3`);
  const { kernel_h, kernel_w } = fakeSpec('slow');
  const slow = Array.from({ length: 200 }, (_, i) => `4,${1000 + i},1,1,${kernel_h},${kernel_w}`);
  const csv = ['height,width,cin,cout,kernel_h,kernel_w', ...quick, ...slow].join('\n');
  const campaign = await create({ design: { name: 'csv', csv }, budget: { specs: 220, maxSeconds: 5 } });
  const final = await ended(campaign);
  expect(final).toMatchObject({ state: 'completed', stop: { kind: 'max-time' } });
  expect(final.recordedSlots).toBeGreaterThanOrEqual(20);
  expect(final.recordedSlots).toBeLessThan(100);
  expect(final.modelId).not.toBeNull();
}, 120_000);
