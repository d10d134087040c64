import type { Campaign, LearningPoint, PlanRoundResult } from '@alphaflops/contracts';
import { CLASS, Deployment, DEVICE, specsOf } from './deployment.spec-helper.js';

let deployment: Deployment;
beforeEach(async () => {
  deployment = await Deployment.start();
});
afterEach(() => deployment.stop());

const reasons = ({ history }: Campaign) => history.map(({ state, reason }) => `${state}: ${reason}`);
const point: LearningPoint = {
  ...{ at: '2026-03-01T12:00:00.000Z', shapes: 2, samples: 2, form: 'boosted', medianApe: 0.2 },
  ...{ standardError: 0.01, judgedBy: 2, deviceSeconds: 1, energyJ: null, fitSeconds: 0.1 },
};

describe('a campaign that is planned completely at the start', () => {
  it('starts its fit when all samples are stored, and ends like the fit', async () => {
    const { lifecycle, fits, queues } = deployment;
    const campaign = await deployment.campaign(5);
    expect(queues.waiting()).toEqual([0, 1, 2]);
    await deployment.measure();
    await lifecycle.completeIfDone(campaign.id);
    expect((await deployment.now(campaign)).state).toBe('running');

    await deployment.measureAll();
    await lifecycle.completeIfDone(campaign.id);
    expect((await deployment.now(campaign)).state).toBe('fitting');
    fits.fits.push({ ok: true, modelId: 'class-a-v1' });
    await lifecycle.resumeWork(await deployment.now(campaign));
    const ended = await deployment.now(campaign);
    expect(ended).toMatchObject({ state: 'completed', modelId: 'class-a-v1' });
    expect(reasons(ended).slice(-2)).toEqual([
      'fitting: all 5 measurements are stored',
      'completed: model class-a-v1 published',
    ]);
    expect(fits.requested).toEqual(['fit in state fitting', 'fit in state fitting']);
  });

  it('gives the reason when its model is only a candidate, and when no model could be fitted', async () => {
    const { lifecycle, fits } = deployment;
    for (const [fit, text] of [
      [
        { ok: true, modelId: 'm', candidateReason: 'it is worse' },
        'completed: model m stored as a candidate: it is worse',
      ],
      [
        { ok: false, reason: 'there are no samples' },
        'failed: no model could be fitted: there are no samples',
      ],
    ] as const) {
      const campaign = await deployment.campaign(1);
      await deployment.measureAll();
      fits.fits.push(fit);
      await lifecycle.completeIfDone(campaign.id);
      expect(reasons(await deployment.now(campaign)).at(-1)).toBe(text);
    }
  });

  it('visits some shapes again before its fit, on the device that measured them', async () => {
    const { lifecycle, queues } = deployment;
    const campaign = await deployment.campaign(4, {}, { repeats: 0.5 });
    await deployment.measureAll();
    await lifecycle.completeIfDone(campaign.id);
    const visiting = await deployment.now(campaign);
    expect(visiting).toMatchObject({ state: 'running', plannedSlots: 6 });
    expect(queues.waiting(DEVICE)).toEqual([2]);
    await deployment.measureAll(DEVICE);
    await lifecycle.completeIfDone(campaign.id);
    expect(await deployment.now(campaign)).toMatchObject({ state: 'fitting', noiseFloor: { shapes: 2 } });
  });

  it('hands out nothing while it is paused, and then continues', async () => {
    const { lifecycle, queues } = deployment;
    const campaign = await deployment.campaign(6);
    await deployment.measure();
    const active = queues.take();
    await lifecycle.pause(campaign.id, 'lunch');
    expect(queues.waiting()).toEqual([]);
    // A batch that a worker has started is stored.
    await deployment.store(active);
    queues.done(active);
    await lifecycle.resume(campaign.id, 'back');
    expect(queues.waiting()).toEqual([2]);
    await expect(lifecycle.resume(campaign.id, 'again')).rejects.toMatchObject({ status: 409 });
    await lifecycle.cancel(campaign.id, 'enough');
    expect(queues.waiting()).toEqual([]);
    await expect(lifecycle.pause(campaign.id, 'no')).rejects.toThrow('is cancelled; it cannot become paused');
  });

  it('stops at its time limit with the samples that it has', async () => {
    const { lifecycle, fits, queues } = deployment;
    const campaign = await deployment.campaign(6, {}, { budget: { specs: 6, maxSeconds: 1e-3 } });
    await deployment.measure();
    await lifecycle.completeIfDone(campaign.id);
    const stopped = await deployment.now(campaign);
    expect(stopped).toMatchObject({ state: 'fitting', stop: { kind: 'max-time' }, plannedSlots: 6 });
    expect(stopped.stop?.reason).toBe('the time limit of 0.001 s is used up, with 2 measurements stored');
    expect(queues.waiting()).toEqual([]);
    expect(fits.requested).toEqual(['fit in state fitting']);
  });
});

describe('a campaign with a target error', () => {
  const inRounds = () =>
    deployment.campaign(
      4,
      { rounds: { testSpecs: 0, ends: [2, 4], storedSpecs: 20 } },
      { budget: { specs: 20, targetError: 0.1 } },
    );
  const round = (start: number, specs: number): PlanRoundResult => ({
    ...{ planned: true, start, specs, excluded: {}, reason: `${specs} specs`, learning: point },
  });

  it('adds a round when all rounds except the newest one are measured', async () => {
    const { lifecycle, fits, queues } = deployment;
    const campaign = await inRounds();
    expect(queues.waiting()).toEqual([0, 1]);
    await deployment.measure();
    await lifecycle.completeIfDone(campaign.id);
    expect(fits.requested).toEqual(['round 3']);
    // The fit is running. Meanwhile the device measures the second round.
    expect(queues.waiting()).toEqual([1]);
    fits.rounds.push(round(4, 3));
    await lifecycle.completeIfDone(campaign.id);
    const grown = await deployment.now(campaign);
    expect(grown).toMatchObject({ state: 'running', plannedSpecs: 7, plannedSlots: 7, learning: [point] });
    expect(grown.rounds?.ends).toEqual([2, 4, 7]);
    expect(reasons(grown).at(-1)).toBe('running: round 3: 3 specs');
    expect(queues.waiting()).toEqual([1, 2, 3]);
  });

  it('adds a round once, even for several requests', async () => {
    const { lifecycle, fits } = deployment;
    const campaign = await inRounds();
    await deployment.measure();
    fits.rounds.push(round(4, 3), round(4, 3));
    await Promise.all([lifecycle.completeIfDone(campaign.id), lifecycle.completeIfDone(campaign.id)]);
    expect(await deployment.now(campaign)).toMatchObject({ plannedSpecs: 7, plannedSlots: 7 });
  });

  it('stops when the fit decides so; batches that no worker has started are withdrawn, the rest is stored', async () => {
    const { lifecycle, fits, queues } = deployment;
    const campaign = await inRounds();
    await deployment.measure();
    fits.rounds.push(round(4, 5));
    await lifecycle.completeIfDone(campaign.id);
    await deployment.measure();
    const active = queues.take();
    const stop = { kind: 'target-reached', reason: 'good enough' } as const;
    fits.rounds.push({ planned: false, reason: stop.reason, learning: point, stop });
    await lifecycle.completeIfDone(campaign.id);
    const stopped = await deployment.now(campaign);
    expect(stopped).toMatchObject({ state: 'fitting', stop, learning: [point, point], plannedSlots: 9 });
    expect(queues.waiting()).toEqual([]);
    await deployment.store(active);
    fits.fits.push({ ok: true, modelId: 'm' });
    await lifecycle.resumeWork(stopped);
    expect((await deployment.now(campaign)).state).toBe('completed');
    const { items } = await deployment.stores.samples.list({ campaignId: campaign.id }, { limit: 100 });
    expect(items).toHaveLength(6);
  });

  it('withdraws its open work even if the process was killed directly after the stop', async () => {
    const { lifecycle, fits, queues } = deployment;
    const campaign = await inRounds();
    const stop = { kind: 'max-time', reason: 'over' } as const;
    const stopped = await lifecycle.change(campaign, 'fitting', stop.reason, { stop });
    expect(queues.waiting()).toEqual([0, 1]);
    await lifecycle.resumeWork(stopped);
    expect(queues.waiting()).toEqual([]);
    expect(fits.requested).toEqual(['fit in state fitting']);
  });

  it('requests nothing while it is paused', async () => {
    const { lifecycle, fits } = deployment;
    const campaign = await inRounds();
    await deployment.measure();
    await lifecycle.pause(campaign.id, 'lunch');
    await lifecycle.completeIfDone(campaign.id);
    expect(fits.requested).toEqual([]);
  });
});

describe('after a crash', () => {
  it('submits planned batches that are not stored, and none twice', async () => {
    const { lifecycle, queues } = deployment;
    const campaign = await deployment.campaign(6);
    await deployment.measure();
    await lifecycle.resumeWork(await deployment.now(campaign));
    expect(queues.waiting()).toEqual([1, 2]);
    const lost = new Set(queues.waiting());
    for (const index of lost) queues.done({ targetId: CLASS, batchIndex: index } as never);
    await lifecycle.resumeWork(await deployment.now(campaign));
    expect(queues.waiting()).toEqual([1, 2]);
  });

  it('runs a planned campaign, and fails a draft whose plan was never stored', async () => {
    const { lifecycle, stores, queues } = deployment;
    const running = await deployment.campaign(1);
    const draft = { ...running, id: 'c-draft', state: 'draft' as const };
    await stores.campaigns.create(draft);
    await lifecycle.resumeWork(draft);
    expect(reasons(await deployment.now(draft)).at(-1)).toBe(
      'failed: the coordinator stopped while planning; create it again',
    );
    const planned = { ...running, id: 'c-planned', state: 'planned' as const };
    await stores.campaigns.create(planned);
    await stores.campaigns.putSpecs(planned.id, 0, specsOf(1));
    await lifecycle.resumeWork(planned);
    expect((await deployment.now(planned)).state).toBe('running');
    expect(queues.waiting()).toEqual([0, 0]);
  });
});
