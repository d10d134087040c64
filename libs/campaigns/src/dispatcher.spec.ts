import type { Campaign, MeasureJob } from '@alphaflops/contracts';
import { buildDevice, buildDeviceClass, buildWorker } from '@alphaflops/store/conformance';
import { CLASS, Deployment, DEVICE, specsOf, WORKER } from './deployment.spec-helper.js';

let deployment: Deployment;
beforeEach(async () => {
  deployment = await Deployment.start();
});
afterEach(() => deployment.stop());

/** Takes all jobs that wait for a target. */
function takeAll(targetId = CLASS): MeasureJob[] {
  return deployment.queues.waiting(targetId).map(() => deployment.queues.take(targetId));
}

const goOffline = () =>
  deployment.stores.fleet.patchWorker(WORKER, { lastHeartbeatAt: '2026-03-01T12:00:00.000Z' });

describe('the batches of a campaign', () => {
  it('contain the specs of their slots and the protocol', async () => {
    const campaign = await deployment.campaign(3);
    const [spec0, spec1, spec2] = specsOf(3);
    const job = { campaignId: campaign.id, targetId: CLASS, protocol: campaign.protocol };
    expect(takeAll()).toEqual([
      {
        ...{ ...job, batchIndex: 0 },
        slots: [
          { specIndex: 0, replicate: 0, spec: spec0 },
          { specIndex: 1, replicate: 0, spec: spec1 },
        ],
      },
      { ...job, batchIndex: 1, slots: [{ specIndex: 2, replicate: 0, spec: spec2 }] },
    ]);
  });

  it('are the same whether their specs are passed or read from the store', async () => {
    const campaign = await deployment.campaign(5);
    const read = takeAll();
    for (const job of read) deployment.queues.done(job);
    await deployment.dispatcher.submitMissing(campaign, specsOf(5));
    expect(takeAll()).toEqual(read);
  });

  it('enter the queue of each target; a batch that is stored for one target waits only for the others', async () => {
    const targetIds = [DEVICE, 'device-b'];
    const campaign = await deployment.campaign(4, { targetIds, plannedSlots: 8 });
    expect(targetIds.map((id) => deployment.queues.waiting(id))).toEqual([
      [0, 1],
      [0, 1],
    ]);
    await deployment.measure(DEVICE);
    takeAll('device-b').forEach((job) => {
      deployment.queues.done(job, 'device-b');
    });
    await deployment.dispatcher.submitMissing(campaign);
    expect(targetIds.map((id) => deployment.queues.waiting(id))).toEqual([[1], [0, 1]]);
  });

  it('are submitted again completely when only a part is stored', async () => {
    const campaign = await deployment.campaign(4);
    const [first] = takeAll();
    if (first === undefined) throw new Error('no batch waits');
    await deployment.store({ ...first, slots: first.slots.slice(0, 1) });
    deployment.queues.done(first);
    expect(await deployment.dispatcher.isStored(campaign, CLASS, 0)).toBe(false);
    await deployment.dispatcher.submitMissing(campaign);
    expect(deployment.queues.waiting()).toEqual([0]);
    expect(deployment.queues.take().slots).toHaveLength(2);
  });
});

describe('shapes that are visited again', () => {
  const visiting = (): Promise<Campaign> =>
    deployment.campaign(4, {
      plannedSlots: 7,
      repeats: {
        specIndexes: [0, 2, 3],
        revisits: [
          { replicate: 1, deviceId: DEVICE, specIndexes: [0, 2] },
          { replicate: 1, deviceId: null, specIndexes: [3] },
        ],
      },
    });

  it('wait for the device that measured them, or for its class if no device is set', async () => {
    await visiting();
    expect(deployment.queues.waiting(CLASS)).toEqual([0, 1, 3]);
    expect(deployment.queues.waiting(DEVICE)).toEqual([2]);
    const { targetId, slots } = deployment.queues.take(DEVICE);
    expect(targetId).toBe(CLASS);
    expect(slots.map(({ specIndex, replicate }) => [specIndex, replicate])).toEqual([
      [0, 1],
      [2, 1],
    ]);
  });

  it.each([
    ['is offline', goOffline],
    [
      'belongs to a paused worker',
      () => deployment.stores.fleet.patchWorker(WORKER, { desiredState: 'paused', stateReason: 'lunch' }),
    ],
  ])('wait for its class when the device %s', async (_why, leave) => {
    await leave();
    await visiting();
    expect(deployment.queues.waiting(DEVICE)).toEqual([]);
    expect(deployment.queues.waiting(CLASS)).toEqual([0, 1, 2, 3]);
  });

  it('are withdrawn from both queues, because their device may be offline now', async () => {
    const campaign = await visiting();
    await goOffline();
    await deployment.dispatcher.submitMissing(campaign);
    expect(deployment.queues.waiting(CLASS)).toEqual([0, 1, 2, 3]);
    await deployment.dispatcher.withdraw(campaign);
    expect([CLASS, DEVICE].map((id) => deployment.queues.waiting(id))).toEqual([[], []]);
  });

  it('count as work while they wait only for their device', async () => {
    const campaign = await visiting();
    await deployment.measureAll(CLASS);
    expect(await deployment.dispatcher.isInWork(campaign)).toBe(true);
    await deployment.measureAll(DEVICE);
    expect(await deployment.dispatcher.isInWork(campaign)).toBe(false);
  });
});

describe('withdrawing', () => {
  it('keeps batches that a worker has started, and the work of other campaigns', async () => {
    const campaign = await deployment.campaign(6);
    const other = await deployment.campaign(2);
    const begun = deployment.queues.take();
    await deployment.dispatcher.withdraw(campaign);
    expect(takeAll().map(({ campaignId }) => campaignId)).toEqual([other.id]);
    expect(await deployment.dispatcher.isInWork(campaign)).toBe(true);
    deployment.queues.done(begun);
  });
});

describe('open batches', () => {
  it('are listed in pages, by target and number, even when some are stored between two pages', async () => {
    const { fleet } = deployment.stores;
    await fleet.putWorker(
      buildWorker({ id: 'worker-b', deviceIds: ['device-b'] }),
      [buildDevice({ id: 'device-b', uuid: 'b', workerId: 'worker-b' })],
      [buildDeviceClass({ id: CLASS })],
      new Map(),
    );
    // Their order is that of the request, not that of their names.
    const targetIds = ['device-b', DEVICE];
    const campaign = await deployment.campaign(5, { targetIds, plannedSlots: 10 });
    const { dispatcher } = deployment;
    const first = await dispatcher.openBatches(campaign, { limit: 2 });
    const places = (jobs: readonly MeasureJob[]) => jobs.map((job) => [job.targetId, job.batchIndex]);
    expect(places(first.items)).toEqual([
      ['device-b', 0],
      ['device-b', 1],
    ]);
    await deployment.measure('device-b');
    await deployment.measure('device-b');
    await deployment.measure(DEVICE);
    const second = await dispatcher.openBatches(campaign, { limit: 2, cursor: first.nextCursor ?? '' });
    expect(places(second.items)).toEqual([
      ['device-b', 2],
      [DEVICE, 1],
    ]);
    const third = await dispatcher.openBatches(campaign, { limit: 2, cursor: second.nextCursor ?? '' });
    expect(places(third.items)).toEqual([[DEVICE, 2]]);
    expect(third.items[0]?.slots.map(({ spec }) => spec)).toEqual(specsOf(5).slice(4));
    expect(third.nextCursor).toBeNull();
  });

  it('are not listed for a cursor of another list', async () => {
    const campaign = await deployment.campaign(2);
    await expect(
      deployment.dispatcher.openBatches(campaign, { limit: 2, cursor: 'not-a-cursor' }),
    ).rejects.toMatchObject({ code: 'bad-cursor' });
  });
});
