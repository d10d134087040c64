import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Campaign, CampaignProgress } from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import { writeSpecs } from '@alphaflops/dataset';
import { fakeSpec } from '@alphaflops/executor/testing';
import { until } from '../support/stack.js';
import type { Abilities } from './abilities.js';
import { BATCH_SPECS, Deployment } from './deployment.js';
import { Fits } from './fits.js';
import { inject, subjectOf } from './inject.js';
import { isRunning } from './processes.js';
import { Queues } from './queues.js';
import { Random } from './random.js';
import { describeFault, type Fault, type FaultKind, schedule } from './schedule.js';
import type { StoreKind } from './stores.js';
import { costOfFaults, verifyStored } from './verify.js';

export interface TrialOptions {
  seed: number;
  store: StoreKind;
  /** Whether MongoDB has transactions. SQLite always has them. */
  transactions: boolean;
  /** The kinds of the faults that follow the first one, a killed worker. */
  kinds: readonly FaultKind[];
  faults: number;
  /** Faults after the first come within this time. */
  spanMs: number;
  specs: number;
  replicates: number;
  /** The time of the fake device for one spec. */
  specMs: number;
}

export interface Injected {
  fault: Fault;
  /** Time after the first batches of the campaign were recorded. */
  beganMs: number;
  endedMs: number;
  subject: string;
}

export interface TrialResult {
  options: TrialOptions;
  /** Description of the store. */
  store: string;
  injected: Injected[];
  /** Time from the kill of a worker until its last batch is in progress again; null if it had none. */
  recoveryMs: number | null;
  /** From the end of the last fault to the end of the campaign. */
  settledMs: number;
  campaignMs: number;
  state: string;
  /** Samples that faults have cost, by reason. */
  cost: Record<string, number>;
  problems: string[];
  /** The folder with logs and files of a failed trial. */
  directory: string | null;
  /** The last output of each program of a failed trial. */
  logTail: string;
}

/**
 * The time limit for the first recorded batches. After it, the faults begin anyway, and the verdict shows the cause.
 */
const START_LIMIT_MS = 30_000;
/** A campaign that records nothing for this time after the last fault counts as stalled. */
const STANDSTILL_MS = 60_000;
/** The time limit after the last fault for a campaign that makes progress, also on a busy machine. */
const SETTLE_LIMIT_MS = 300_000;
/** Number of lines of each log that are shown after a failure. */
const LAST_LINES = 12;
const ENDED = ['completed', 'failed', 'cancelled'];

/** One campaign with its faults, from an empty deployment to the verdict. */
export async function runTrial(options: TrialOptions, abilities: Abilities): Promise<TrialResult> {
  const { seed, store, transactions } = options;
  const faults = schedule(seed, options.faults, options.spanMs, options.kinds);
  const deployment = await Deployment.start(store, transactions, abilities);
  const trial = new Trial(options, deployment);
  try {
    return await trial.run(faults);
  } catch (error) {
    trial.keep([`the harness itself failed: ${String(error)}`], faults);
    throw error;
  } finally {
    trial.close();
    await deployment.stop();
    await deployment.close(trial.kept !== null);
  }
}

class Trial {
  kept: string | null = null;
  private readonly injected: Injected[] = [];
  private readonly queues: Queues;
  private startedAt = 0;

  constructor(
    private readonly options: TrialOptions,
    private readonly deployment: Deployment,
  ) {
    this.queues = new Queues(deployment.stack.redis);
  }

  async run(faults: readonly Fault[]): Promise<TrialResult> {
    const campaign = await this.create();
    // From now on, every worker has a batch.
    const deadline = performance.now() + START_LIMIT_MS;
    await until(
      () => this.progress(campaign.id),
      (progress) =>
        (progress?.recordedSlots ?? 0) >= 8 * BATCH_SPECS[this.options.store] || performance.now() > deadline,
    );
    this.startedAt = performance.now();
    const fits = new Fits(this.deployment.stack, campaign.deviceClassId);
    const recoveryMs = await this.injectAll(faults, campaign.targetIds[0] ?? '', fits);
    const lastEndMs = Math.max(...this.injected.map(({ endedMs }) => endedMs));
    const final = await this.untilEnded(campaign.id);
    const campaignMs = this.sinceStartMs();
    const problems = [...(await fits.judge()), ...(await this.judge(campaign, final))];
    const cost = await this.cost(campaign, fits, problems);
    if (problems.length > 0) this.keep(problems, faults);
    return {
      options: this.options,
      store: this.deployment.store.name,
      injected: this.injected,
      recoveryMs,
      settledMs: Math.max(0, campaignMs - lastEndMs),
      campaignMs,
      state: final?.state ?? 'unknown',
      cost,
      problems,
      directory: this.kept,
      logTail: problems.length > 0 ? this.logTail() : '',
    };
  }

  close(): void {
    this.queues.close();
  }

  /** Keeps the files, and writes all logs next to them. */
  keep(problems: readonly string[], faults: readonly Fault[]): void {
    this.kept = this.deployment.stack.directory;
    const logs = join(this.kept, 'logs');
    mkdirSync(logs, { recursive: true });
    for (const { name, text } of this.deployment.stack.logs) writeFileSync(join(logs, `${name}.log`), text);
    const lines = [
      `seed ${this.options.seed}`,
      ...problems,
      'planned:',
      ...faults.map(describeFault),
      'injected:',
      ...this.injected.map(describeInjected),
    ];
    writeFileSync(join(this.kept, 'verdict.txt'), `${lines.join('\n')}\n`);
  }

  private logTail(): string {
    const tail = (text: string) => text.trim().split('\n').slice(-LAST_LINES).join('\n  ');
    return this.deployment.stack.logs.map(({ name, text }) => `${name}:\n  ${tail(text)}`).join('\n');
  }

  private async create(): Promise<Campaign> {
    const { api } = this.deployment.stack;
    const { data: classes } = await api.GET('/v1/device-classes');
    let csv = '';
    for await (const piece of writeSpecs(specsOf(this.options))) csv += piece;
    const { data } = await api.POST('/v1/campaigns', {
      body: {
        name: `faults ${this.options.seed}`,
        design: { name: 'csv', csv },
        budget: { specs: this.options.specs },
        repeats: 0.1,
        replicates: this.options.replicates,
        protocol: 'quick-cpu',
        target: { kind: 'device-class', deviceClassId: classes?.items[0]?.id ?? '' },
        fit: { form: 'flops' },
      },
    });
    if (data === undefined) throw new Error('the campaign was not created');
    return data;
  }

  private sinceStartMs(): number {
    return performance.now() - this.startedAt;
  }

  /** Returns the recovery time from the first fault. */
  private async injectAll(faults: readonly Fault[], targetId: string, fits: Fits): Promise<number | null> {
    const busy = new Map<string, Promise<void>>();
    let recovery: Promise<number | null> = Promise.resolve(null);
    for (const [index, fault] of faults.entries()) {
      await setTimeout(Math.max(0, fault.atMs - this.sinceStartMs()));
      if (index === 0) {
        const inWork = await this.queues.inWork(targetId);
        recovery = this.queues.begunAgainMs(targetId, inWork);
      }
      const subject = subjectOf(fault, this.deployment);
      const before = busy.get(subject) ?? Promise.resolve();
      busy.set(
        subject,
        before.then(async () => {
          const beganMs = this.sinceStartMs();
          const done = await inject(this.deployment, fits, fault);
          this.injected.push({ fault, beganMs, endedMs: this.sinceStartMs(), subject: done });
        }),
      );
    }
    await Promise.all(busy.values());
    this.injected.sort((a, b) => a.beganMs - b.beganMs);
    return recovery;
  }

  /** Returns the end of the campaign, or its progress when it stalls or takes too long. */
  private async untilEnded(campaignId: string): Promise<CampaignProgress | null> {
    const fromMs = performance.now();
    let progress: CampaignProgress | null = null;
    let movedMs = fromMs;
    while (performance.now() < Math.min(movedMs + STANDSTILL_MS, fromMs + SETTLE_LIMIT_MS)) {
      const now = await this.progress(campaignId);
      if (now !== null) {
        if (ENDED.includes(now.state)) return now;
        if (now.state !== progress?.state || now.recordedSlots !== progress.recordedSlots)
          movedMs = performance.now();
        progress = now;
      }
      await setTimeout(250);
    }
    return progress;
  }

  private async progress(campaignId: string): Promise<CampaignProgress | null> {
    const { url, token } = this.deployment.stack;
    try {
      const answer = await fetch(`${url}/v1/campaigns/${campaignId}/progress`, {
        headers: { authorization: `Bearer ${token}` },
        signal: AbortSignal.timeout(10_000),
      });
      return answer.ok ? ((await answer.json()) as CampaignProgress) : null;
    } catch {
      return null;
    }
  }

  private async judge(campaign: Campaign, final: CampaignProgress | null): Promise<string[]> {
    const problems = [...this.deployment.unexpectedEnds];
    if (final?.state !== 'completed') {
      problems.push(
        `the campaign is ${final?.state ?? 'unknown'} (${final?.reason ?? ''}) with ${final?.recordedSlots ?? 0} of ` +
          `${campaign.plannedSlots} slots recorded, after ${STANDSTILL_MS / 1000} s in which it did not move or ` +
          `${SETTLE_LIMIT_MS / 1000} s since the last fault; it records ${final?.slotsPerSecond ?? 0} a second`,
      );
    }
    for (const job of ['measure', 'fit'] as const) {
      const left = await this.queues.leftovers(job);
      if (left.length > 0) problems.push(`left in the queues: ${left.slice(0, 10).join(', ')}`);
    }
    const orphans = this.deployment.orphans.filter(isRunning);
    if (orphans.length > 0)
      problems.push(`executors outlive their workers: ${orphans.map(({ pid }) => pid).join(', ')}`);
    return problems;
  }

  /** Checks the store directly, when no other process uses it, and adds to `problems`. */
  private async cost(campaign: Campaign, fits: Fits, problems: string[]): Promise<Record<string, number>> {
    await this.deployment.stop();
    const stores = await this.deployment.store.open();
    try {
      const planned = (await stores.campaigns.get(campaign.id)) ?? campaign;
      problems.push(...(await verifyStored(stores, planned)), ...(await fits.verifyStored(stores)));
      const cost = await costOfFaults(stores, campaign.id, ({ spec }) => isHealthy(spec));
      // A killed executor loses its spec. No other fault may cost a sample.
      const lost = [...cost.values()].reduce((sum, count) => sum + count, 0);
      const kills = this.injected.filter(({ fault }) => fault.kind === 'executor-killed').length;
      if (lost > kills) problems.push(`${lost} samples were lost to faults, with ${kills} executors killed`);
      return Object.fromEntries(cost);
    } finally {
      await stores.close();
    }
  }
}

/** Mostly specs that keep the device busy, and some specs with other outcomes. */
function specsOf({ seed, specs, specMs }: TrialOptions): ConvSpec[] {
  const random = new Random(seed + 1);
  const failing = ['crash', 'out-of-memory', 'unsupported', 'throw'] as const;
  return Array.from({ length: specs }, (_, i) => {
    const shape = { cin: i + 1, cout: 8 };
    if (random.next() < 0.005) return fakeSpec(failing[i % failing.length] ?? 'throw', shape);
    return fakeSpec('slow', { width: specMs, ...shape });
  });
}

function isHealthy({ kernel_w }: ConvSpec): boolean {
  return kernel_w === fakeSpec('slow').kernel_w;
}

export function describeInjected({ fault, beganMs, endedMs, subject }: Injected): string {
  return `${(beganMs / 1000).toFixed(1)}–${(endedMs / 1000).toFixed(1)} s ${fault.kind}: ${subject}`;
}
