import type { AnchorRun, DeviceDescription, MeasureJob, MeasureResult } from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import {
  anchorProtocol,
  anchorSpecs,
  type AnchorSettings,
  DEFAULT_ANCHORS,
  driftOf,
  hasDrifted,
} from '@alphaflops/measure';
import { signAnchors } from '@alphaflops/provenance';
import type { Origin, SpecMeasurer } from './batch.js';
import type { Log } from './log.js';

/** Maximum number of batches that a run can name. If no anchor can be measured for longer, the oldest are dropped. */
const MAX_BATCHES = 10_000;

/** Null: the default for the kind of device. */
export function anchorSettings(
  kind: DeviceDescription['kind'],
  { anchors, anchorsEvery }: { readonly anchors: number | null; readonly anchorsEvery: number | null },
): AnchorSettings {
  const { count, rerun, everyBatches } = DEFAULT_ANCHORS[kind];
  return { count: anchors ?? count, rerun, everyBatches: anchorsEvery ?? everyBatches };
}

export interface AnchorOptions {
  readonly settings: AnchorSettings;
  readonly kind: DeviceDescription['kind'];
  readonly origin: Omit<Origin, 'provenance'>;
  readonly measurer: SpecMeasurer;
  readonly log: Log;
}

/**
 * Watches one device for drift (docs/decisions/0006-drift.md): times the anchors before its first batch, and some of
 * them again after every few hundred batches. If their times have changed, the results report it, and the anchors are
 * timed again, because they must describe the new state of the device.
 */
export class Anchors {
  /** Times at the start; null before they are measured. */
  private times: ReadonlyMap<ConvSpec, number> | null = null;
  private since: AnchorRun['batches'] = [];
  private turn = 0;
  /** A failed run is sent with two results, so that one of them may be lost. */
  private report: { readonly run: AnchorRun; left: number } | null = null;

  constructor(private readonly options: AnchorOptions) {}

  /** Measures a batch with the anchors that are due before and after it. Rejects if the batch or an anchor fails. */
  async around(
    { campaignId, targetId, batchIndex }: MeasureJob,
    signal: AbortSignal,
    measureBatch: () => Promise<MeasureResult>,
  ): Promise<MeasureResult> {
    const { count, everyBatches } = this.options.settings;
    if (count === 0) return await measureBatch();
    this.times ??= await this.measureAll(anchorSpecs(count), signal);
    const result = await measureBatch();
    this.since = [...this.since, { campaignId, targetId, batchIndex }].slice(-MAX_BATCHES);
    if (this.since.length >= everyBatches) await this.runAgain(this.times, signal);
    return this.reported(result);
  }

  private reported(result: MeasureResult): MeasureResult {
    if (this.report === null) return result;
    const { run } = this.report;
    this.report.left -= 1;
    if (this.report.left === 0) this.report = null;
    return { ...result, anchors: run };
  }

  private async runAgain(times: ReadonlyMap<ConvSpec, number>, signal: AbortSignal): Promise<void> {
    const { settings, kind, log } = this.options;
    const startedAt = new Date().toISOString();
    const anchors = [...times.keys()];
    const chosen = Array.from(
      { length: Math.min(settings.rerun, anchors.length) },
      (_, i) => anchors[(this.turn + i) % anchors.length] as ConvSpec,
    );
    const now = await this.measureAll(chosen, signal);
    const ratios = [...now].map(([spec, timeMs]) => timeMs / (times.get(spec) ?? timeMs));
    // The state of the device is then unknown; the next batch tries again.
    if (ratios.length === 0) return;
    this.turn = (this.turn + chosen.length) % anchors.length;
    const batches = this.since;
    this.since = [];
    const fields = { anchors: ratios.length, change: Number(driftOf(ratios).toFixed(4)) };
    if (!hasDrifted(ratios, kind)) {
      log.info('anchors hold', fields);
      return;
    }
    log.warn('The device has drifted. The worker reports the samples since the last good anchors.', fields);
    const { workerId, deviceId, signingKey } = this.options.origin;
    const run = { startedAt, ratios, batches };
    const signature = signAnchors({ ...run, workerId, deviceId }, signingKey);
    this.report = { run: { ...run, signature }, left: 2 };
    this.times = null;
  }

  /** Times of the anchors that could be measured. */
  private async measureAll(specs: readonly ConvSpec[], signal: AbortSignal): Promise<Map<ConvSpec, number>> {
    const protocol = anchorProtocol(this.options.kind);
    const times = new Map<ConvSpec, number>();
    const left = specs.values();
    for await (const { outcome, timing } of this.options.measurer.measureEach(specs, protocol, signal)) {
      const { value: spec } = left.next();
      if (outcome === 'ok' && spec !== undefined) times.set(spec, timing.timeMs);
    }
    return times;
  }
}
