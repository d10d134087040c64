import type { AnchorRun, Campaign, MeasureResult, Sample } from '@alphaflops/contracts';
import { signAnchors } from '@alphaflops/provenance';
import { buildProvenance } from '@alphaflops/store/conformance';
import { MAX_SET_ASIDE } from '@alphaflops/store';
import { CLASS, Deployment, DEVICE, WORKER } from './deployment.spec-helper.js';
import { Drift } from './drift.js';
import { newKeys } from './signed-results.spec-helper.js';

const { publicKey, privateKey } = newKeys();

let deployment: Deployment;
let drift: Drift;
beforeEach(async () => {
  deployment = await Deployment.start({ publicKey });
  const { campaigns, samples, fleet } = deployment.stores;
  drift = new Drift(campaigns, samples, fleet);
});
afterEach(() => deployment.stop());

/** A time after the start of all samples so far. */
const soon = () => new Date(Date.now() + 60_000).toISOString();

/** A result with anchors that took 30 % longer. This is drift for every kind of device. */
function result(
  { id }: Campaign,
  part: Partial<Omit<AnchorRun, 'signature'>> = {},
  { key = privateKey, deviceId = DEVICE } = {},
): MeasureResult {
  const run = {
    startedAt: soon(),
    ratios: [1.3, 1.3, 1.31],
    batches: [0, 1].map((batchIndex) => ({ campaignId: id, targetId: CLASS, batchIndex })),
    ...part,
  };
  const place = { workerId: WORKER, deviceId };
  return {
    ...{ ...place, attempt: 1, provenance: buildProvenance().record, results: [] },
    anchors: { ...run, signature: signAnchors({ ...run, ...place }, key) },
  };
}

const samplesOf = async ({ id }: Campaign): Promise<Sample[]> =>
  (await deployment.stores.samples.list({ campaignId: id }, { limit: 100 })).items;
const outcomes = async (campaign: Campaign) =>
  (await samplesOf(campaign)).map(({ specIndex, outcome }) => `${specIndex} ${outcome}`).toSorted();

describe('anchors of a device that has drifted', () => {
  it('set aside the samples of the device since its last good run; their slots are submitted again', async () => {
    const campaign = await deployment.campaign(6);
    await deployment.measureAll();
    expect(await drift.judge(result(campaign))).toBe(4);
    expect(await outcomes(campaign)).toEqual([
      ...['0 drifted', '1 drifted', '2 drifted', '3 drifted'],
      ...['4 ok', '5 ok'],
    ]);
    const aside = (await samplesOf(campaign)).find(({ outcome }) => outcome === 'drifted');
    expect(aside?.reason).toMatch(
      /^the anchors of device-a took 30\.0 % more time at .+ than when its worker began$/,
    );
    await deployment.dispatcher.submitMissing(campaign);
    expect(deployment.queues.waiting()).toEqual([0, 1]);
    await deployment.measureAll();
    expect((await outcomes(campaign)).filter((text) => text.endsWith('ok'))).toHaveLength(6);
  });

  it('set nothing aside twice', async () => {
    const campaign = await deployment.campaign(4);
    await deployment.measureAll();
    const sent = result(campaign, { startedAt: new Date(Date.now() + 5_000).toISOString() });
    expect(await drift.judge(sent)).toBe(4);
    expect(await drift.judge(sent)).toBe(0);
  });

  it('keep samples that started after the run, and samples of another device', async () => {
    const campaign = await deployment.campaign(4);
    await deployment.measureAll();
    expect(await drift.judge(result(campaign, { startedAt: '2026-03-01T12:00:00.000Z' }))).toBe(0);
    expect(await drift.judge(result(campaign, {}, { deviceId: 'device-b' }))).toBe(0);
  });

  it('also count as drift when they took less time', async () => {
    const campaign = await deployment.campaign(2);
    await deployment.measureAll();
    expect(await drift.judge(result(campaign, { ratios: [0.8] }))).toBe(2);
    expect((await samplesOf(campaign))[0]?.reason).toContain('took 20.0 % less time at');
  });

  it(`take a slot at most ${MAX_SET_ASIDE} times: the next sample stays, and the campaign ends`, async () => {
    const campaign = await deployment.campaign(2);
    for (let time = 1; time <= MAX_SET_ASIDE + 1; time += 1) {
      await deployment.dispatcher.submitMissing(campaign);
      await deployment.measureAll();
      expect(await drift.judge(result(campaign))).toBe(time <= MAX_SET_ASIDE ? 2 : 0);
    }
    await deployment.lifecycle.completeIfDone(campaign.id);
    expect((await deployment.now(campaign)).state).toBe('fitting');
  });

  it('change paused campaigns, but no campaign that has ended or is in its fit', async () => {
    const paused = await deployment.campaign(2);
    await deployment.measureAll();
    await deployment.lifecycle.pause(paused.id, 'lunch');
    expect(await drift.judge(result(paused))).toBe(2);
    const fitting = await deployment.campaign(2);
    await deployment.measureAll();
    await deployment.lifecycle.completeIfDone(fitting.id);
    expect(await drift.judge(result(fitting))).toBe(0);
    await deployment.lifecycle.cancel(fitting.id, 'enough');
    expect(await drift.judge(result(fitting))).toBe(0);
    expect(await outcomes(fitting)).toEqual(['0 ok', '1 ok']);
  });
});

describe('nothing changes', () => {
  it('without anchors, and with anchors that took about as long as before', async () => {
    const campaign = await deployment.campaign(4);
    await deployment.measureAll();
    const { anchors, ...without } = result(campaign);
    expect(anchors).toBeDefined();
    expect(await drift.judge(without)).toBe(0);
    // Above the limit of a GPU (3 %), below the limit of a CPU (10 %).
    expect(await drift.judge(result(campaign, { ratios: [1.05, 1.05, 1.9] }))).toBe(0);
    expect(new Set((await samplesOf(campaign)).map(({ outcome }) => outcome))).toEqual(new Set(['ok']));
  });

  it('with anchors that their worker has not signed', async () => {
    const campaign = await deployment.campaign(4);
    await deployment.measureAll();
    expect(await drift.judge(result(campaign, {}, { key: newKeys().privateKey }))).toBe(0);
    const signed = result(campaign, { ratios: [1] });
    if (signed.anchors === undefined) throw new Error('there is no run of anchors');
    expect(await drift.judge({ ...signed, anchors: { ...signed.anchors, ratios: [1.3] } })).toBe(0);
  });

  it('with anchors of batches that do not exist', async () => {
    const campaign = await deployment.campaign(2);
    await deployment.measureAll();
    const place = { campaignId: campaign.id, targetId: CLASS, batchIndex: 7 };
    const batches = [place, { ...place, campaignId: 'campaign-x', batchIndex: 0 }];
    expect(await drift.judge(result(campaign, { batches }))).toBe(0);
  });
});
