import type { Device, MeasureJob, MeasureResult, Sample } from '@alphaflops/contracts';
import { specKey } from '@alphaflops/conv';
import { fieldsOfMeasurement, provenanceId } from '@alphaflops/provenance';
import { type Slot } from '@alphaflops/store';

/**
 * Samples of a finished batch: one per requested slot, for any result of the worker. A missing slot gets an outcome,
 * and an unknown slot is ignored.
 */
export function samplesOf(
  job: MeasureJob,
  result: MeasureResult,
  device: Device,
  recordedAt: string,
): Sample[] {
  const provenance = provenanceId(result.provenance);
  const nameOf = ({ specIndex, replicate }: { specIndex: number; replicate: number }) =>
    `${specIndex} ${replicate}`;
  const results = new Map(result.results.map((found) => [nameOf(found), found]));
  return job.slots.map((slot) => {
    const found = results.get(nameOf(slot));
    const common = {
      ...commonFields(job, slot, result.attempt, recordedAt),
      deviceId: device.id,
      deviceClassId: device.deviceClassId,
      workerId: result.workerId,
      provenanceId: provenance,
    };
    if (found === undefined) return { ...common, ...failure('the worker returned nothing for this spec') };
    const { measurement, startedAt, signature } = found;
    return { ...common, ...fieldsOfMeasurement(measurement), startedAt, signature };
  });
}

/** Samples of a batch that no worker finished after all attempts. */
export function samplesOfFailure(
  job: MeasureJob,
  deviceClassId: string,
  attempts: number,
  reason: string,
  recordedAt: string,
): Sample[] {
  const tries = attempts === 1 ? '1 attempt' : `${attempts} attempts`;
  return job.slots.map((slot) => ({
    ...commonFields(job, slot, attempts, recordedAt),
    deviceId: null,
    deviceClassId,
    workerId: null,
    provenanceId: null,
    ...failure(`the batch failed after ${tries}: ${reason}`.slice(0, 2000)),
  }));
}

/** The id of the sample in a slot. The end of the target's id keeps it short and unique. */
export function sampleId({ campaignId, targetId, specIndex, replicate }: Slot): string {
  return `${campaignId}.${targetId.slice(-12)}.s${specIndex}.r${replicate}`;
}

function commonFields(
  job: MeasureJob,
  slot: MeasureJob['slots'][number],
  attempt: number,
  recordedAt: string,
) {
  const { campaignId, targetId, batchIndex, protocol } = job;
  const { specIndex, replicate, spec } = slot;
  return {
    id: sampleId({ campaignId, targetId, specIndex, replicate }),
    campaignId,
    targetId,
    specIndex,
    replicate,
    attempt,
    batchIndex,
    specKey: specKey(spec),
    spec,
    protocol: { name: protocol.name, version: protocol.version },
    startedAt: recordedAt,
    recordedAt,
  };
}

function failure(reason: string) {
  return {
    outcome: 'executor-crashed' as const,
    reason,
    timing: null,
    conditions: null,
    algorithm: null,
    workspaceBytes: null,
    signature: null,
  };
}
