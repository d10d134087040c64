import type { KeyObject } from 'node:crypto';
import {
  type Measurement,
  MeasurementSchema,
  type MeasureJob,
  type MeasureResult,
  type Protocol,
  type Provenance,
  type SlotResult,
} from '@alphaflops/contracts';
import { specKey } from '@alphaflops/conv';
import { fieldsOfMeasurement, provenanceId, sealResult, signSample } from '@alphaflops/provenance';
import type { JobContext, Performer } from './performer.js';

type ConvSpec = MeasureJob['slots'][number]['spec'];

/** Measures specs on one device. */
export interface SpecMeasurer {
  /**
   * One measurement for each spec, in their order. The device continues with the next spec while the caller handles the
   * last one. Rejects only if the executor as a whole cannot be used, or on the signal.
   */
  measureEach(
    specs: readonly ConvSpec[],
    protocol: Protocol,
    signal: AbortSignal,
  ): AsyncIterable<Measurement>;
}

/** Results of a batch on one device. */
export type MeasureBatch = (job: MeasureJob, context: JobContext) => Promise<MeasureResult>;

/**
 * The next batch is requested when the current one will last this long. It must arrive over the network before then.
 */
const NEXT_BATCH_AHEAD_MS = 500;

/** Worker and device of the samples. */
export interface Origin {
  readonly workerId: string;
  readonly deviceId: string;
  readonly provenance: Provenance;
  /** Ed25519. */
  readonly signingKey: KeyObject;
}

/**
 * Measures the slots of one batch one after the other, in the order of the job, and signs each result while the next
 * slot is measured.
 */
export async function runBatch(
  job: MeasureJob,
  { attempt, signal, takeNext }: JobContext,
  origin: Origin,
  measurer: SpecMeasurer,
): Promise<MeasureResult> {
  const sign = signerOf(job, attempt, origin);
  const results: MeasureResult['results'] = [];
  const beganMs = performance.now();
  const { slots, protocol } = job;
  const check = (): void => {
    if (signal.aborted) throw new Error('the batch was taken away');
    const left = leftMs(performance.now() - beganMs, results.length, slots.length);
    if (left < NEXT_BATCH_AHEAD_MS) takeNext();
  };
  check();
  let startedAt = new Date().toISOString();
  const measurements = measurer.measureEach(
    slots.map(({ spec }) => spec),
    protocol,
    signal,
  );
  for await (const measurement of measurements) {
    const { spec, ...slot } = slots[results.length] as (typeof slots)[number];
    const nextStartedAt = new Date().toISOString();
    results.push(sign(spec, { ...slot, startedAt }, measurement));
    startedAt = nextStartedAt;
    if (results.length < slots.length) check();
  }
  const { workerId, deviceId, provenance } = origin;
  return { workerId, deviceId, provenance, attempt, results };
}

/** Remaining time of a batch of `count` slots, estimated from the `done` ones; unknown before the first. */
function leftMs(spentMs: number, done: number, count: number): number {
  if (done === 0) return count === 1 ? 0 : Infinity;
  return (spentMs / done) * (count - done);
}

type Slot = Pick<SlotResult, 'specIndex' | 'replicate' | 'startedAt'>;

function signerOf(
  { campaignId, targetId, batchIndex, protocol: { name, version } }: MeasureJob,
  attempt: number,
  { workerId, deviceId, provenance, signingKey }: Origin,
): (spec: ConvSpec, slot: Slot, measured: Measurement) => SlotResult {
  const place = { campaignId, targetId, batchIndex, attempt };
  const batch = { ...place, protocol: { name, version }, workerId, deviceId };
  const common = { ...batch, provenanceId: provenanceId(provenance) };
  return (spec, slot, measured) => {
    // The signed fields must be the fields that arrive: those of the contract and no others.
    const measurement = MeasurementSchema.parse(measured);
    const fields = { ...common, ...slot, specKey: specKey(spec), ...fieldsOfMeasurement(measurement) };
    return { ...slot, measurement, signature: signSample(fields, signingKey) };
  };
}

/** Does `measure` jobs: the result of each batch is sealed (docs/decisions/0011-sealed-batches.md). */
export function measuring(measureBatch: MeasureBatch, signingKey: KeyObject): Performer<'measure'> {
  return {
    done: 'measured',
    describe: ({ campaignId, batchIndex, slots }) => ({
      campaign: campaignId,
      batch: batchIndex,
      n: slots.length,
    }),
    perform: async (job, context) => {
      const measured = await measureBatch(job, context);
      const { seal, body } = await sealResult(job, measured, signingKey);
      return { result: seal, body, summary: { outcomes: countOutcomes(measured) } };
    },
  };
}

/** `ok:7,timeout:1`, in the order of first appearance. */
function countOutcomes({ results }: Pick<MeasureResult, 'results'>): string {
  const counts = new Map<string, number>();
  for (const { measurement } of results) {
    counts.set(measurement.outcome, (counts.get(measurement.outcome) ?? 0) + 1);
  }
  return [...counts].map(([outcome, n]) => `${outcome}:${n}`).join(',');
}
