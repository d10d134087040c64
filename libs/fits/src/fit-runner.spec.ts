import { type Campaign, type FitJob, type NoiseFloor, type Sample, VERSION } from '@alphaflops/contracts';
import { CONV_SPEC_DEFAULTS, type ConvSpec, macs, specKey } from '@alphaflops/conv';
import { fitInputDigest, fitRowOf, rowOfSample } from '@alphaflops/dataset';
import { GiveUp } from '@alphaflops/queue';
import type { Stores } from '@alphaflops/store';
import { buildCampaign, buildDeviceClass, buildSample, timeAt } from '@alphaflops/store/conformance';
import { openTemporaryStores } from '@alphaflops/store-sqlite/testing';
import { Logger } from '@nestjs/common';
import { ClassKernels } from './class-kernels.js';
import { FitInputs } from './fit-input.js';
import { FitRunner } from './fit-runner.js';
import { fit, type FitTask } from './fit-thread.js';
import type { FitThreads } from './fit-threads.js';

const CLASS = 'class-a';
const specs: ConvSpec[] = [8, 16, 32, 64].flatMap((size) =>
  [8, 32, 128].flatMap((cin) =>
    [16, 64, 256].map((cout): ConvSpec => {
      const shape = { height: size, width: size, cin, cout, kernel_h: 3, kernel_w: 3 };
      return { ...CONV_SPEC_DEFAULTS, ...shape };
    }),
  ),
);
/** Samples of all shapes: a launch takes 0.5 ms, which a form without a launch cannot describe. */
const samplesOf = (part: Partial<Sample> = {}): Sample[] =>
  specs.map((spec, specIndex) => {
    const sample = buildSample({ specIndex, spec, specKey: specKey(spec), ...part });
    const { timing } = sample;
    return timing === null ? sample : { ...sample, timing: { ...timing, timeMs: 0.5 + macs(spec) / 1e8 } };
  });
const noiseFloor = (shapes: number): NoiseFloor => ({ shapes, medianLogRatio: 0.01, p90LogRatio: 0.02 });

let stores: Stores;
let cleanUp: () => Promise<void>;
/** The fits, in order. */
let tasks: FitTask[];
let runner: FitRunner;
const runnerOn = ({ samples, fleet, kernelMaps, campaigns, models }: Stores) => {
  const threads: Pick<FitThreads, 'fit'> = {
    fit: (task) => {
      tasks.push(task);
      return Promise.resolve(fit(task));
    },
  };
  const kernels = new ClassKernels(fleet, kernelMaps);
  return new FitRunner(new FitInputs(samples), kernels, campaigns, fleet, models, threads as FitThreads);
};
beforeEach(async () => {
  Logger.overrideLogger(false);
  ({ stores, cleanUp } = await openTemporaryStores());
  await stores.fleet.addDeviceClass(buildDeviceClass({ id: CLASS, smCount: 132 }));
  tasks = [];
  runner = runnerOn(stores);
});
afterEach(() => cleanUp());

const record = (samples: readonly Sample[]) => stores.samples.record(samples, new Map());
const job = (part: Partial<FitJob> = {}): FitJob => ({
  ...{ id: 'fit-1', deviceClassId: CLASS, campaignId: null },
  request: { form: 'alpha-latency', seed: 3 },
  ...part,
});
async function campaign(part: Partial<Campaign> = {}): Promise<Campaign> {
  const created = buildCampaign({ state: 'fitting', ...part });
  await stores.campaigns.create(created);
  return created;
}
const all = async () => (await stores.models.list({}, { limit: 10 })).items;

describe('a fit', () => {
  it('publishes the model of all good samples of the class, with its origin', async () => {
    const { id, protocol } = await campaign();
    const good = samplesOf({ campaignId: id });
    const failed = buildSample({ specIndex: 100, outcome: 'timeout' });
    const elsewhere = buildSample({ specIndex: 101, deviceClassId: 'class-b' });
    await record([...good, failed, elsewhere]);
    const model = await runner.run(job({ campaignId: id }));
    expect(model).toMatchObject({
      ...{ id: 'class-a-v1', deviceClassId: CLASS, campaignId: id, chosenForm: 'alpha-latency', seed: 3 },
      ...{ status: 'published', statusReason: 'no model was served before' },
      ...{ protocol, design: 'networklike', codeVersion: VERSION, device: {} },
      data: { samples: specs.length, shapes: specs.length, excluded: { timeout: 1 } },
    });
    expect(tasks[0]?.options.device).toEqual({ smCount: 132 });
    const rows = tasks[0]?.samples ?? [];
    expect(rows).toHaveLength(specs.length);
    expect(model.data.digest).toBe(fitInputDigest(good.map((sample) => fitRowOf(rowOfSample(sample)))));
    expect(await stores.models.served(CLASS)).toEqual(model);
  });

  it('uses the protocol of its campaign, or without a campaign the protocol of the newest sample', async () => {
    const { id, protocol } = await campaign();
    await record(samplesOf({ recordedAt: timeAt(0) }));
    const other = { name: 'elsewhere', version: 7 };
    await record(
      samplesOf({ campaignId: 'campaign-b', protocol: other, recordedAt: timeAt(1) }).slice(0, 30),
    );
    const ofCampaign = await runner.run(job({ campaignId: id }));
    expect(ofCampaign.data).toMatchObject({ samples: 36, excluded: { 'other protocol': 30 } });
    expect(ofCampaign.protocol?.name).toBe(protocol.name);
    const byHand = await runner.run(job());
    expect(byHand.data).toMatchObject({ samples: 30, excluded: { 'other protocol': 36 } });
    expect(byHand).toMatchObject({ protocol: null, design: null, campaignId: null });
  });

  it('reports the noise floor of its campaign, or otherwise of the newest campaign of the class with a noise floor', async () => {
    await record(samplesOf());
    const floors = [20, 30, 40].map(noiseFloor);
    const [first] = floors;
    const own = await campaign({ noiseFloor: first, createdAt: timeAt(0) });
    await campaign({ noiseFloor: floors[1], createdAt: timeAt(1) });
    await campaign({ createdAt: timeAt(2) });
    await campaign({ noiseFloor: floors[2], deviceClassId: 'class-b', createdAt: timeAt(3) });
    for (const campaignId of [own.id, null]) await runner.run(job({ campaignId }));
    expect(tasks.map(({ options }) => options.origin.noiseFloor)).toEqual(floors.slice(0, 2));
  });

  it('stores a worse model as a candidate: the better one stays published', async () => {
    await record(samplesOf());
    const served = await runner.run(job());
    const worse = await runner.run(job({ id: 'fit-2', request: { form: 'flops', seed: 3 } }));
    expect(worse).toMatchObject({ id: 'class-a-v2', status: 'candidate', chosenForm: 'flops' });
    expect(worse.statusReason).toMatch(/\d/);
    expect(await stores.models.served(CLASS)).toEqual(served);
  });

  it('publishes the existing model if it is repeated after a crash', async () => {
    const { id } = await campaign();
    await record(samplesOf({ campaignId: id }));
    const byHand = await runner.run(job());
    expect(await runner.run(job())).toEqual(byHand);
    const ofCampaign = await runner.run(job({ id: undefined, campaignId: id }));
    expect(await runner.run(job({ id: undefined, campaignId: id }))).toEqual(ofCampaign);
    expect((await all()).map((model) => model.id)).toEqual(['class-a-v2', 'class-a-v1']);
  });
});

describe('a fit gives up', () => {
  it('if the device class is unknown', async () => {
    const run = runner.run(job({ deviceClassId: 'class-x' }));
    await expect(run).rejects.toThrow(new GiveUp('there is no device class class-x'));
    await expect(run).rejects.toBeInstanceOf(GiveUp);
  });

  it('if there are no good samples, and publishes nothing', async () => {
    await record(samplesOf({ outcome: 'timeout' }));
    await expect(runner.run(job())).rejects.toBeInstanceOf(GiveUp);
    await expect(runner.run(job({ request: { form: 'magic', seed: 3 } }))).rejects.toBeInstanceOf(GiveUp);
    expect(await all()).toEqual([]);
  });

  it('but not if the store is unreachable: then it is tried again', async () => {
    await record(samplesOf());
    const away = { served: () => Promise.reject(new Error('the store is away')) };
    const models = Object.assign(Object.create(stores.models) as Stores['models'], away);
    const run = runnerOn({ ...stores, models }).run(job());
    await expect(run).rejects.toThrow('the store is away');
    await expect(run).rejects.not.toBeInstanceOf(GiveUp);
  });
});
