import type { components } from '@alphaflops/api-client';
import { specKey } from '@alphaflops/conv';
import { end, Stack, until } from './support/stack.js';

type Campaign = components['schemas']['Campaign'];
type Progress = components['schemas']['CampaignProgress'];
type Sample = components['schemas']['Sample'];

let stack: Stack;
beforeEach(async () => {
  stack = await Stack.start({ ALPHAFLOPS_BATCH_SPECS: '4' });
}, 60_000);
afterEach(async () => {
  await stack.stop();
}, 60_000);

/** Three rounds: 6 test shapes and 14 others first, then 20 and 20. */
const ENDS = [20, 40, 60];

async function create(): Promise<Campaign> {
  const { data: classes } = await stack.api.GET('/v1/device-classes');
  const { data } = await stack.api.POST('/v1/campaigns', {
    body: {
      name: 'adaptive',
      design: { name: 'adaptive', seed: 3, rounds: ENDS.length },
      target: { kind: 'device-class', deviceClassId: classes?.items[0]?.id ?? '' },
      repeats: 0,
      budget: { specs: 60 },
      constraints: { maxMacs: 1e8 },
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

/** Returns every state of the progress that a watcher receives, until the end of the campaign. */
async function watched({ id }: Campaign): Promise<Progress[]> {
  const answer = await fetch(`${stack.url}/v1/campaigns/${id}/events`, {
    headers: { authorization: `Bearer ${stack.token}` },
  });
  return (await answer.text())
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => JSON.parse(line.slice('data: '.length)) as Progress);
}

async function restartCoordinator(): Promise<void> {
  await stack.stopCoordinator('SIGKILL');
  await stack.startCoordinator();
}

async function storedSamples({ id }: Campaign): Promise<Sample[]> {
  const answer = await fetch(`${stack.url}/v1/samples/stream?campaignId=${id}`, {
    headers: { authorization: `Bearer ${stack.token}` },
  });
  return (await answer.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Sample);
}

it('measures, fits and chooses in rounds, with SIGKILL of the coordinator between and within them', async () => {
  stack.startWorker(await stack.enrol('node'));
  const campaign = await create();
  expect(campaign).toMatchObject({
    plannedSpecs: ENDS[0],
    plannedSlots: ENDS[0],
    rounds: { testSpecs: 6, ends: ENDS.slice(0, 1) },
  });
  // The last result of the first round is stored: the second round is requested, in progress, or just planned.
  await until(
    () => progress(campaign),
    ({ recordedSlots }) => recordedSlots >= (ENDS[0] ?? 0),
  );
  await restartCoordinator();
  // The second round is planned: none, some or all of its batches are submitted.
  await until(
    () => campaignNow(campaign),
    ({ plannedSpecs }) => plannedSpecs > (ENDS[0] ?? 0),
  );
  await restartCoordinator();
  await until(
    () => progress(campaign),
    ({ recordedSlots }) => recordedSlots > (ENDS[1] ?? 0) - 8,
  );
  await restartCoordinator();

  const final = await until(
    () => progress(campaign),
    ({ state }) => ['completed', 'failed', 'cancelled'].includes(state),
  );
  expect(final).toMatchObject({
    state: 'completed',
    plannedSlots: 60,
    recordedSlots: 60,
    outcomes: { ok: 60 },
  });
  const ended = await campaignNow(campaign);
  expect(ended.rounds).toEqual({ testSpecs: 6, ends: ENDS });
  const rounds = ended.history.filter(({ reason }) => /^round \d/.test(reason));
  expect(rounds.map(({ state }) => state)).toEqual(['running', 'running']);
  expect(rounds[0]?.reason).toMatch(
    /^round 2: 20 specs chosen by a fit of 14 samples; .* on 6 test samples$/,
  );
  expect(rounds[1]?.reason).toMatch(
    /^round 3: 20 specs chosen by a fit of 34 samples; .* on 6 test samples$/,
  );

  const samples = await storedSamples(campaign);
  expect(samples.map(({ specIndex }) => specIndex).sort((a, b) => a - b)).toEqual(
    Array.from({ length: 60 }, (_, i) => i),
  );
  expect(new Set(samples.map(({ spec }) => specKey(spec))).size).toBe(60);
  const { data: model } = await stack.api.GET('/v1/models/{id}', {
    params: { path: { id: final.modelId ?? '' } },
  });
  expect(model).toMatchObject({ design: 'adaptive', data: { samples: 60 } });
}, 180_000);

it('continues its rounds after a pause, and always reports its total progress', async () => {
  const worker = stack.startWorker(await stack.enrol('node'));
  const campaign = await create();
  const events = watched(campaign);
  const path = { params: { path: { id: campaign.id } }, body: { reason: 'lunch' } };
  await until(
    () => progress(campaign),
    ({ recordedSlots }) => recordedSlots > 0,
  );
  await stack.api.POST('/v1/campaigns/{id}/pause', path);
  // The present batch is still delivered. After the worker has left, no other batch can follow.
  await end(worker.child, 'SIGTERM');
  const paused = await campaignNow(campaign);
  expect(paused.state).toBe('paused');

  stack.startWorker(await stack.enrol('another'));
  await stack.api.POST('/v1/campaigns/{id}/resume', path);
  const final = await until(
    () => progress(campaign),
    ({ state }) => ['completed', 'failed', 'cancelled'].includes(state),
  );
  expect(final).toMatchObject({ state: 'completed', recordedSlots: 60, outcomes: { ok: 60 } });

  const reports = await events;
  expect(reports.at(-1)).toEqual(final);
  expect(reports.map(({ totalSlots }) => totalSlots)).toEqual(reports.map(() => 60));
  const rounds = reports.map(({ round }) => round?.number ?? 0);
  // Progress is reported at intervals, so a quick round may be complete between two reports.
  expect(rounds).toEqual(rounds.toSorted((a, b) => a - b));
  expect([rounds[0], rounds.at(-1)]).toEqual([1, 3]);
  expect(reports.map(({ round }) => round?.of)).toEqual(reports.map(() => 3));
  expect(reports.map(({ plannedSlots }) => plannedSlots)).toEqual(rounds.map((round) => ENDS[round - 1]));
  const ends = reports.filter(({ remainingSeconds }) => remainingSeconds === 0);
  expect(ends.map(({ recordedSlots }) => recordedSlots)).toEqual(ends.map(() => 60));
}, 120_000);
