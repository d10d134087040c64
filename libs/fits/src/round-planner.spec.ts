import type { Campaign } from '@alphaflops/contracts';
import { type ConvSpec, specKey } from '@alphaflops/conv';
import type { NextRoundRequest } from '@alphaflops/planning';
import type { Stores } from '@alphaflops/store';
import {
  buildCampaign,
  buildDeviceClass,
  buildSample,
  buildSpec,
  timeAt,
} from '@alphaflops/store/conformance';
import { openTemporaryStores } from '@alphaflops/store-sqlite/testing';
import { Logger } from '@nestjs/common';
import type { InterimAnswer, InterimTask, RoundAnswer } from './fit-thread.js';
import type { FitThreads } from './fit-threads.js';
import { RoundPlanner } from './round-planner.js';

const CLASS = 'class-a';
const specsOf = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, at) => buildSpec(from + at));

/** Replaces the thread, with the answers that a test gives. */
class FakeThreads {
  interim: InterimAnswer = { ok: false, reason: 'too few samples' };
  round: RoundAnswer = { ok: false, reason: 'no candidate is left' };
  readonly interimTasks: InterimTask[] = [];
  readonly roundRequests: NextRoundRequest[] = [];

  interimFit(task: InterimTask): Promise<InterimAnswer> {
    this.interimTasks.push(task);
    return Promise.resolve(this.interim);
  }

  planRound(request: NextRoundRequest): Promise<RoundAnswer> {
    this.roundRequests.push(request);
    return Promise.resolve(this.round);
  }
}

let stores: Stores;
let cleanUp: () => Promise<void>;
let threads: FakeThreads;
let planner: RoundPlanner;
beforeEach(async () => {
  Logger.overrideLogger(false);
  ({ stores, cleanUp } = await openTemporaryStores());
  await stores.fleet.addDeviceClass(buildDeviceClass({ id: CLASS, smCount: 132 }));
  threads = new FakeThreads();
  const { campaigns, samples, fleet } = stores;
  planner = new RoundPlanner(campaigns, samples, fleet, threads as unknown as FitThreads);
});
afterEach(() => cleanUp());

const fitOf = (medianApe: number, judgedBy = 100): InterimAnswer => ({
  ok: true,
  fit: { form: 'boosted', shapes: 4, medianApe, standardError: 0.001, judgedBy },
});

/** A running campaign of two rounds of two specs, of which all are measured; `storedSpecs` specs are stored. */
async function campaign(
  part: Partial<Campaign> & { storedSpecs?: number } = {},
  request: object = {},
): Promise<Campaign> {
  const { storedSpecs = 40, ...rest } = part;
  const base = buildCampaign();
  const created: Campaign = {
    ...{ ...base, state: 'running', plannedSpecs: 4, plannedSlots: 4, createdAt: timeAt(0) },
    rounds: { testSpecs: 0, ends: [2, 4], storedSpecs },
    request: { ...base.request, budget: { specs: 40, targetError: 0.1 }, ...request },
    ...rest,
  };
  await stores.campaigns.create(created);
  await stores.campaigns.putSpecs(created.id, 0, specsOf(0, storedSpecs));
  await measure(created.id, 0, 4);
  return created;
}

async function measure(campaignId: string, from: number, to: number, recordedAt = timeAt(1000)) {
  const samples = specsOf(from, to).map((spec, at) =>
    buildSample({ campaignId, specIndex: from + at, spec, specKey: specKey(spec), recordedAt }),
  );
  await stores.samples.record(samples, new Map());
}

describe('a campaign with a target error', () => {
  it('adds a point to its learning curve, and measures the specs that were stored with it', async () => {
    const { id } = await campaign();
    threads.interim = fitOf(0.2);
    const planned = await planner.plan(id, 3);
    expect(planned).toMatchObject({
      ...{ planned: true, start: 4, excluded: {} },
      learning: { shapes: 4, samples: 4, form: 'boosted', medianApe: 0.2, judgedBy: 100 },
    });
    if (!planned.planned) throw new Error(planned.reason);
    expect(planned.reason).toBe(`${planned.specs} specs; held-out median error 20.0 % ± 0.1 % with 4 shapes`);
    expect(planned.specs).toBeGreaterThan(0);
    expect(threads.roundRequests).toEqual([]);
    expect(threads.interimTasks[0]?.options.device).toEqual({ smCount: 132 });
  });

  it('stops when the model is good enough', async () => {
    const { id } = await campaign();
    threads.interim = fitOf(0.02);
    const stopped = await planner.plan(id, 3);
    expect(stopped).toMatchObject({
      planned: false,
      stop: { kind: 'target-reached' },
      learning: { shapes: 4 },
    });
  });

  it('does not stop because of an error from few shapes', async () => {
    const { id } = await campaign();
    threads.interim = fitOf(0.02, 3);
    expect(await planner.plan(id, 3)).toMatchObject({ planned: true });
  });

  it('stops when the measurements differ more than the target allows', async () => {
    const { id } = await campaign({
      noiseFloor: { shapes: 400, medianLogRatio: 0.5, p90LogRatio: 1 },
    });
    threads.interim = fitOf(0.2);
    expect(await planner.plan(id, 3)).toMatchObject({ planned: false, stop: { kind: 'noise-floor' } });
  });

  it('stops when its budget is used up', async () => {
    const { id } = await campaign({ storedSpecs: 4 });
    threads.interim = fitOf(0.2);
    expect(await planner.plan(id, 3)).toMatchObject({ planned: false, stop: { kind: 'budget' } });
  });

  it('continues without a learning point while nothing can be fitted, until its budget is used up', async () => {
    const { id } = await campaign();
    const planned = await planner.plan(id, 3);
    expect(planned).toMatchObject({ planned: true, start: 4 });
    expect(planned).not.toHaveProperty('learning');
    const used = await campaign({ storedSpecs: 4 });
    expect(await planner.plan(used.id, 3)).toEqual({ planned: false, reason: 'too few samples' });
  });

  it('has no learning point if too few shapes can be held out', async () => {
    const { id } = await campaign();
    threads.interim = fitOf(NaN);
    expect(await planner.plan(id, 3)).not.toHaveProperty('learning');
  });

  it('fits its own samples and earlier ones of the class; all samples of test shapes only judge', async () => {
    const { id } = await campaign({ rounds: { testSpecs: 1, ends: [2, 4], storedSpecs: 40 } });
    await measure('campaign-before', 30, 33, timeAt(-1000));
    await measure('campaign-before-too', 0, 1, timeAt(-1000));
    await measure('campaign-beside', 33, 36, timeAt(1000));
    threads.interim = fitOf(0.2);
    await planner.plan(id, 3);
    const [task] = threads.interimTasks;
    const keys = (samples: readonly { spec: ConvSpec }[] = []) =>
      samples.map(({ spec }) => specKey(spec)).toSorted();
    const expected = [...specsOf(1, 4), ...specsOf(30, 33)].map((spec) => specKey(spec)).toSorted();
    expect(keys(task?.samples)).toEqual(expected);
    expect(keys(task?.options.test)).toEqual([specKey(buildSpec(0)), specKey(buildSpec(0))]);
  });
});

describe('an adaptive campaign', () => {
  const adaptive = (part: Partial<Campaign> & { storedSpecs?: number } = {}) =>
    campaign(
      { rounds: { testSpecs: 0, ends: [4] }, storedSpecs: 4, ...part },
      { design: { name: 'adaptive', seed: 7 }, budget: { specs: 40 } },
    );

  it('stores the specs that its model chooses, with what was left out', async () => {
    const { id } = await adaptive();
    const specs = specsOf(100, 103);
    threads.round = { ok: true, round: { specs, excluded: { memory: 2 }, reason: 'by disagreement' } };
    expect(await planner.plan(id, 2)).toEqual({
      ...{ planned: true, start: 4, specs: 3, excluded: { memory: 2 }, reason: 'by disagreement' },
    });
    expect(await stores.campaigns.specs(id, 4, 100)).toEqual(specs);
    const [request] = threads.roundRequests;
    expect(request?.planned).toEqual(specsOf(0, 4));
    expect(request?.measured).toHaveLength(4);
    expect(threads.interimTasks).toEqual([]);
  });

  it('uses again the specs that a process stored before it was killed', async () => {
    const { id } = await adaptive();
    await stores.campaigns.putSpecs(id, 4, specsOf(200, 205));
    threads.round = { ok: true, round: { specs: specsOf(100, 103), excluded: {}, reason: 'others' } };
    expect(await planner.plan(id, 2)).toMatchObject({ planned: true, start: 4, specs: 5, reason: '5 specs' });
    expect(threads.roundRequests).toEqual([]);
    expect(await stores.campaigns.specs(id, 4, 100)).toEqual(specsOf(200, 205));
  });

  it('gives the reason if no round can be chosen', async () => {
    const { id } = await adaptive();
    expect(await planner.plan(id, 2)).toEqual({ planned: false, reason: 'no candidate is left' });
  });
});

describe('nothing is planned', () => {
  it('for a round that is planned already, or a campaign that does not measure in rounds', async () => {
    const { id } = await campaign();
    expect(await planner.plan(id, 2)).toEqual({ planned: false, reason: 'round 2 is planned already' });
    const reason = 'there is no campaign campaign-x that measures in rounds';
    expect(await planner.plan('campaign-x', 2)).toEqual({ planned: false, reason });
    expect(threads.interimTasks).toEqual([]);
  });
});
