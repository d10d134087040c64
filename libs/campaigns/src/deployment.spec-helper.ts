import type { Campaign, MeasureJob, PlanRoundResult, Sample } from '@alphaflops/contracts';
import { specKey, type ConvSpec } from '@alphaflops/conv';
import type { Stores, WorkerRecord } from '@alphaflops/store';
import {
  buildCampaign,
  buildDevice,
  buildDeviceClass,
  buildProvenance,
  buildSample,
  buildSpec,
  buildWorker,
} from '@alphaflops/store/conformance';
import { openTemporaryStores } from '@alphaflops/store-sqlite/testing';
import { Logger } from '@nestjs/common';
import { Dispatcher } from './dispatcher.js';
import { type CampaignFit, CampaignFits, Lifecycle } from './lifecycle.js';
import { Repeats } from './repeats.js';
import { sampleId } from './samples.js';
import { Staffing } from './staffing.js';
import type { TargetQueues } from './target-queues.js';

export const DEVICE = 'device-a';
export const CLASS = 'class-a';
export const WORKER = 'worker-a';

/** The queues of all targets, in memory. A submitted batch waits until it is taken. */
export class FakeQueues {
  private readonly jobs = new Map<string, Map<string, { payload: MeasureJob; isActive: boolean }>>();

  /** The target whose queue refuses everything, if any. */
  unreachable: string | null = null;

  of(targetId: string) {
    if (targetId === this.unreachable) throw new Error(`the queue of ${targetId} does not answer`);
    const jobs = this.jobs.get(targetId) ?? new Map<string, { payload: MeasureJob; isActive: boolean }>();
    this.jobs.set(targetId, jobs);
    return {
      submit: (entries: readonly { id: string; payload: MeasureJob }[]) => {
        for (const { id, payload } of entries) {
          if (!jobs.has(id)) jobs.set(id, { payload, isActive: false });
        }
        return Promise.resolve();
      },
      withdraw: (ids: readonly string[]) => {
        const free = ids.filter((id) => jobs.get(id)?.isActive === false);
        for (const id of free) jobs.delete(id);
        return Promise.resolve(free.length);
      },
      counts: () => {
        const active = [...jobs.values()].filter(({ isActive }) => isActive).length;
        return Promise.resolve({ waiting: jobs.size - active, active });
      },
    };
  }

  /** Ids of the batches that wait in the queue of a target. */
  waiting(targetId = CLASS): number[] {
    return [...(this.jobs.get(targetId)?.values() ?? [])]
      .filter(({ isActive }) => !isActive)
      .map(({ payload }) => payload.batchIndex)
      .sort((a, b) => a - b);
  }

  /** Takes the first waiting batch, like a worker. */
  take(targetId = CLASS): MeasureJob {
    const found = [...(this.jobs.get(targetId)?.values() ?? [])].find(({ isActive }) => !isActive);
    if (found === undefined) throw new Error(`no batch waits for ${targetId}`);
    found.isActive = true;
    return found.payload;
  }

  /** Redis loses these batches of all targets; without an argument, all batches. */
  lose(...batchIndexes: number[]): void {
    for (const jobs of this.jobs.values()) {
      for (const [id, { payload }] of jobs) {
        if (batchIndexes.length === 0 || batchIndexes.includes(payload.batchIndex)) jobs.delete(id);
      }
    }
  }

  done({ targetId, batchIndex }: MeasureJob, queueId = targetId): void {
    const jobs = this.jobs.get(queueId);
    for (const [id, { payload }] of jobs ?? []) if (payload.batchIndex === batchIndex) jobs?.delete(id);
  }
}

/** Answers like the fitting process, with one answer per call; null: still running. */
export class FakeFits extends CampaignFits {
  readonly rounds: (PlanRoundResult | null)[] = [];
  readonly fits: (CampaignFit | null)[] = [];
  /** The requests, with the state of the campaign. */
  readonly requested: string[] = [];

  request({ state }: Campaign): Promise<CampaignFit | null> {
    this.requested.push(`fit in state ${state}`);
    return Promise.resolve(this.fits.shift() ?? null);
  }

  requestRound({ rounds }: Campaign): Promise<PlanRoundResult | null> {
    this.requested.push(`round ${(rounds?.ends.length ?? 1) + 1}`);
    return Promise.resolve(this.rounds.shift() ?? null);
  }
}

/** The services of campaigns on a real SQLite store, with queues and fits that the test controls. */
export class Deployment {
  readonly queues = new FakeQueues();
  readonly fits = new FakeFits();
  readonly dispatcher: Dispatcher;
  readonly lifecycle: Lifecycle;

  private constructor(
    readonly stores: Stores,
    /** Closes and removes the store. */
    readonly stop: () => Promise<void>,
  ) {
    const { campaigns, samples, fleet } = stores;
    const staffing = new Staffing(fleet, {
      batchSpecs: null,
      offlineAfterS: 60,
      staleAfterS: 600,
      records: true,
    });
    const queues = this.queues as unknown as TargetQueues;
    this.dispatcher = new Dispatcher(campaigns, samples, queues, staffing);
    this.lifecycle = new Lifecycle(campaigns, samples, this.dispatcher, new Repeats(samples), this.fits);
  }

  /** With one device of one worker, which is online. @param part of the worker */
  static async start(part: Partial<WorkerRecord> = {}): Promise<Deployment> {
    Logger.overrideLogger(false);
    const { stores, cleanUp } = await openTemporaryStores();
    const worker = buildWorker({
      ...{ id: WORKER, deviceIds: [DEVICE], lastHeartbeatAt: new Date().toISOString() },
      ...part,
    });
    const provenance = buildProvenance();
    const device = buildDevice({
      ...{ id: DEVICE, deviceClassId: CLASS, workerId: WORKER, provenanceId: provenance.id },
    });
    const records = new Map([[provenance.id, provenance.record]]);
    await stores.fleet.putWorker(worker, [device], [buildDeviceClass({ id: CLASS })], records);
    return new Deployment(stores, cleanUp);
  }

  /**
   * A running campaign in batches of two.
   * @param specs the convolutions or their number; further ones may be stored for later rounds
   */
  async campaign(
    specs: number | readonly ConvSpec[],
    part: Partial<Campaign> = {},
    request: object = {},
  ): Promise<Campaign> {
    const base = buildCampaign();
    const count = typeof specs === 'number' ? specs : specs.length;
    const campaign: Campaign = {
      ...{ ...base, batchSize: 2, plannedSpecs: count, plannedSlots: count },
      request: { ...base.request, repeats: 0, budget: { specs: count }, ...request },
      ...part,
    };
    await this.stores.campaigns.create(campaign);
    const stored = typeof specs === 'number' ? specsOf(campaign.rounds?.storedSpecs ?? count) : specs;
    await this.stores.campaigns.putSpecs(campaign.id, 0, stored);
    const planned = await this.lifecycle.change(campaign, 'planned', 'planned');
    return await this.lifecycle.run(planned, 'submitted');
  }

  async now({ id }: Pick<Campaign, 'id'>): Promise<Campaign> {
    const campaign = await this.stores.campaigns.get(id);
    if (campaign === null) throw new Error(`there is no campaign ${id}`);
    return campaign;
  }

  /** A worker measures the first waiting batch, and its samples are stored. */
  async measure(queueId = CLASS, timeMs: (specIndex: number) => number = () => 1): Promise<MeasureJob> {
    const job = this.queues.take(queueId);
    await this.store(job, timeMs);
    this.queues.done(job, queueId);
    return job;
  }

  async store(job: MeasureJob, timeMs: (specIndex: number) => number = () => 1): Promise<void> {
    await this.stores.samples.record(
      job.slots.map((slot) => sampleOf(job, slot, timeMs(slot.specIndex))),
      new Map(),
    );
  }

  async measureAll(queueId = CLASS): Promise<void> {
    while (this.queues.waiting(queueId).length > 0) await this.measure(queueId);
  }
}

export function specsOf(count: number): ConvSpec[] {
  return Array.from({ length: count }, (_, index) => buildSpec(index));
}

function sampleOf(job: MeasureJob, slot: MeasureJob['slots'][number], timeMs: number): Sample {
  const { campaignId, targetId, batchIndex } = job;
  const { specIndex, replicate, spec } = slot;
  const sample = buildSample({
    ...{ campaignId, targetId, batchIndex, specIndex, replicate, spec, specKey: specKey(spec) },
    ...{ deviceId: DEVICE, workerId: WORKER },
    id: sampleId({ campaignId, targetId, specIndex, replicate }),
    startedAt: new Date(Date.now() + specIndex).toISOString(),
    recordedAt: new Date().toISOString(),
  });
  return { ...sample, timing: sample.timing === null ? null : { ...sample.timing, timeMs } };
}
