import type { KeyObject } from 'node:crypto';
import {
  type Measurement,
  MeasurementSchema,
  type MeasureJob,
  type MeasureResult,
  type Protocol,
  type Provenance,
} from '@alphaflops/contracts';
import { specKey } from '@alphaflops/conv';
import type { JobContext } from '@alphaflops/queue';
import { fieldsOfMeasurement, provenanceId, signSample } from '@alphaflops/store';

type ConvSpec = MeasureJob['slots'][number]['spec'];

/** Measures one spec on one device; rejects only when the executor as a whole cannot be used, or on the signal. */
export interface SpecMeasurer {
  measure(spec: ConvSpec, protocol: Protocol, signal: AbortSignal): Promise<Measurement>;
}

/** Whose samples they are. */
export interface Origin {
  readonly workerId: string;
  readonly deviceId: string;
  readonly provenance: Provenance;
  /** Ed25519. */
  readonly signingKey: KeyObject;
}

/** Measures the slots of one batch one after the other, in the order of the job, and signs what came of each. */
export async function runBatch(
  job: MeasureJob,
  { attempt, signal }: JobContext,
  { workerId, deviceId, provenance, signingKey }: Origin,
  measurer: SpecMeasurer,
): Promise<MeasureResult> {
  const { campaignId, targetId, batchIndex, protocol } = job;
  const { name, version } = protocol;
  const common = {
    campaignId,
    targetId,
    batchIndex,
    attempt,
    protocol: { name, version },
    workerId,
    deviceId,
  };
  const batch = { ...common, provenanceId: provenanceId(provenance) };
  const results: MeasureResult['results'] = [];
  for (const { specIndex, replicate, spec } of job.slots) {
    if (signal.aborted) throw new Error('the batch was taken away');
    const startedAt = new Date().toISOString();
    // What is signed has to be what arrives: the fields of the contract and no others.
    const measurement = MeasurementSchema.parse(await measurer.measure(spec, protocol, signal));
    const slot = { specIndex, replicate, startedAt };
    const fields = { ...batch, ...slot, specKey: specKey(spec), ...fieldsOfMeasurement(measurement) };
    results.push({ ...slot, measurement, signature: signSample(fields, signingKey) });
  }
  return { workerId, deviceId, provenance, attempt, results };
}

/** `ok:7,timeout:1`, in the order of first appearance. */
export function countOutcomes({ results }: Pick<MeasureResult, 'results'>): string {
  const counts = new Map<string, number>();
  for (const { measurement } of results) {
    counts.set(measurement.outcome, (counts.get(measurement.outcome) ?? 0) + 1);
  }
  return [...counts].map(([outcome, n]) => `${outcome}:${n}`).join(',');
}
