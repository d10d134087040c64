import { setTimeout } from 'node:timers/promises';
import type { Campaign } from '@alphaflops/contracts';
import type { LeaseDesk, QueueConnection } from '@alphaflops/queue';
import { CampaignReconciler } from './campaign-reconciler.js';
import { CLASS, Deployment, DEVICE, specsOf } from './deployment.spec-helper.js';

let deployment: Deployment;
let reconciler: CampaignReconciler;
/** The callbacks for the time when Redis is reachable again. */
let redisCameBack: () => void;
/** Targets whose queues are checked for stalled batches. */
let watched: Set<string>;

beforeEach(async () => {
  deployment = await Deployment.start();
  watched = new Set();
  reconciler = newReconciler();
});
afterEach(async () => {
  await reconciler.onApplicationShutdown();
  await deployment.stop();
});

function newReconciler(records = true): CampaignReconciler {
  const { stores, lifecycle, dispatcher } = deployment;
  const desk = {
    queue: (_job: string, targetId: string) => {
      watched.add(targetId);
    },
  };
  const connection = {
    onReconnect: (listener: () => void) => {
      redisCameBack = listener;
    },
  };
  return new CampaignReconciler(
    stores.campaigns,
    lifecycle,
    desk as unknown as LeaseDesk,
    dispatcher,
    connection as unknown as QueueConnection,
    { batchSpecs: null, offlineAfterS: 60, staleAfterS: 600, records },
  );
}

/** Waits until `isSo` is true. @throws Error when it is still false after 5 s */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = Date.now() + 5_000;
  while (!(await isSo())) {
    if (Date.now() > deadlineMs) throw new Error(`not within 5 s: ${isSo.toString()}`);
    await setTimeout(10);
  }
}
const untilState = (campaign: Campaign, state: Campaign['state']) =>
  until(async () => (await deployment.now(campaign)).state === state);
const untilWaiting = (count: number) => until(() => deployment.queues.waiting().length === count);

/** A stored campaign that no process runs. */
async function stored(part: Partial<Campaign>, base?: Campaign): Promise<Campaign> {
  const campaign = { ...(base ?? (await deployment.campaign(2))), ...part };
  await deployment.stores.campaigns.create(campaign);
  await deployment.stores.campaigns.putSpecs(campaign.id, 0, specsOf(2));
  return campaign;
}

describe('after a start', () => {
  it('submits the batches that the queues have lost', async () => {
    await deployment.campaign(6);
    await deployment.measure();
    deployment.queues.lose();
    reconciler = newReconciler();
    reconciler.onApplicationBootstrap();
    await untilWaiting(2);
    expect(deployment.queues.waiting()).toEqual([1, 2]);
    expect(watched).toEqual(new Set([CLASS]));
  });

  it('runs planned campaigns, and completes campaigns in their fit', async () => {
    const base = await deployment.campaign(2);
    const planned = await stored({ id: 'c-planned', state: 'planned' }, base);
    const fitting = await stored({ id: 'c-fitting', state: 'fitting' }, base);
    deployment.fits.fits.push({ ok: true, modelId: 'class-a-v1' });
    reconciler.onApplicationBootstrap();
    await untilState(planned, 'running');
    await untilState(fitting, 'completed');
    expect(await deployment.now(fitting)).toMatchObject({ modelId: 'class-a-v1' });
  });

  it('fails a draft whose planner has ended, and leaves a new draft to its planner', async () => {
    const base = await deployment.campaign(2);
    const young = await stored({ id: 'c-young', state: 'draft', createdAt: new Date().toISOString() }, base);
    const old = await stored({ id: 'c-old', state: 'draft' }, base);
    // Checked after all drafts.
    const planned = await stored({ id: 'c-planned', state: 'planned' }, base);
    reconciler.onApplicationBootstrap();
    await untilState(old, 'failed');
    await untilState(planned, 'running');
    expect((await deployment.now(young)).state).toBe('draft');
  });

  it('does nothing in a process that does not record', async () => {
    await deployment.campaign(4);
    deployment.queues.lose();
    reconciler = newReconciler(false);
    reconciler.onApplicationBootstrap();
    await reconciler.onApplicationShutdown();
    expect(deployment.queues.waiting()).toEqual([]);
  });
});

describe('while it runs', () => {
  it('submits lost batches again after Redis was unreachable', async () => {
    await deployment.campaign(6);
    reconciler.onApplicationBootstrap();
    await until(() => watched.has(CLASS));
    // One batch is left, so that the campaign still appears to run.
    deployment.queues.lose(1, 2);
    redisCameBack();
    await untilWaiting(3);
    expect(deployment.queues.waiting()).toEqual([0, 1, 2]);
  });

  it('notices that a running campaign has nothing in its queues, even without an outage of Redis', async () => {
    const campaign = await deployment.campaign(2);
    reconciler.onApplicationBootstrap();
    await until(() => watched.has(CLASS));
    // A coordinator was killed after it stored the last batch and before it checked whether the campaign was complete.
    await deployment.measureAll();
    await untilState(campaign, 'fitting');
    expect(deployment.fits.requested).toContain('fit in state fitting');
  });

  it('ends a campaign after its time limit, even if no result arrives', async () => {
    const campaign = await deployment.campaign(4, {}, { budget: { specs: 4, maxSeconds: 0.001 } });
    reconciler.onApplicationBootstrap();
    await untilState(campaign, 'fitting');
    expect((await deployment.now(campaign)).stop?.kind).toBe('max-time');
    expect(deployment.queues.waiting()).toEqual([]);
  });

  it('does not change a paused campaign, but still checks its stalled batches', async () => {
    const campaign = await deployment.campaign(4, {
      ...{ plannedSlots: 5 },
      repeats: { specIndexes: [0], revisits: [{ replicate: 1, deviceId: DEVICE, specIndexes: [0] }] },
    });
    await deployment.lifecycle.pause(campaign.id, 'lunch');
    reconciler.onApplicationBootstrap();
    await until(() => watched.size === 2);
    expect(watched).toEqual(new Set([CLASS, DEVICE]));
    await reconciler.onApplicationShutdown();
    expect((await deployment.now(campaign)).state).toBe('paused');
    expect(deployment.queues.waiting()).toEqual([]);
  });

  it('checks the other campaigns even if one fails each time', async () => {
    const base = await deployment.campaign(2);
    // Its queue cannot be reached.
    const broken = await stored({ id: 'c-broken', state: 'planned', targetIds: ['unreachable'] }, base);
    deployment.queues.unreachable = 'unreachable';
    // For any order of the list.
    const before = await stored({ id: 'c-a', state: 'planned' }, base);
    const after = await stored({ id: 'c-z', state: 'planned' }, base);
    reconciler.onApplicationBootstrap();
    await untilState(before, 'running');
    await untilState(after, 'running');
    expect((await deployment.now(broken)).state).toBe('planned');
  });
});
