import type { Measurement, MeasureJob, MeasureResult, Protocol, Provenance } from '@alphaflops/contracts';
import type { JobContext } from '@alphaflops/queue';

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
}

/** Measures the slots of one batch one after the other, in the order of the job. */
export async function runBatch(
  job: MeasureJob,
  { attempt, signal }: JobContext,
  origin: Origin,
  measurer: SpecMeasurer,
): Promise<MeasureResult> {
  const results: MeasureResult['results'] = [];
  for (const { specIndex, replicate, spec } of job.slots) {
    if (signal.aborted) throw new Error('the batch was taken away');
    const startedAt = new Date().toISOString();
    const measurement = await measurer.measure(spec, job.protocol, signal);
    results.push({ specIndex, replicate, startedAt, measurement });
  }
  return { ...origin, attempt, results };
}

/** `ok:7,timeout:1`, in the order of first appearance. */
export function countOutcomes({ results }: Pick<MeasureResult, 'results'>): string {
  const counts = new Map<string, number>();
  for (const { measurement } of results) {
    counts.set(measurement.outcome, (counts.get(measurement.outcome) ?? 0) + 1);
  }
  return [...counts].map(([outcome, n]) => `${outcome}:${n}`).join(',');
}
