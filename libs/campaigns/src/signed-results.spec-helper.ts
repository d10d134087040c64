import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  type MeasureJob,
  type MeasureResult,
  type Measurement,
  MeasurementSchema,
} from '@alphaflops/contracts';
import { specKey } from '@alphaflops/conv';
import { fieldsOfMeasurement, provenanceId, sealResult, signSample } from '@alphaflops/provenance';
import { type Delivery, measureJobId } from '@alphaflops/queue';
import { buildProvenance, buildSample } from '@alphaflops/store/conformance';
import { DEVICE, WORKER } from './deployment.spec-helper.js';

/** An Ed25519 key pair of a worker; `publicKey` as `Worker.publicKey`. */
export function newKeys(): { publicKey: string; privateKey: KeyObject } {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return { publicKey: publicKey.export({ format: 'jwk' }).x ?? '', privateKey };
}

/** The signer of a result, and its attempt. */
export interface Signer {
  readonly privateKey: KeyObject;
  readonly workerId?: string;
  readonly deviceId?: string;
  readonly attempt?: number;
  readonly measurement?: Measurement;
}

/** A good measurement of 1 ms, unless `timeMs` says otherwise. */
export function goodMeasurement(timeMs = 1): Measurement {
  const { timing, conditions } = buildSample();
  const times = { timeMs, timeMinMs: timeMs, timeQ25Ms: timeMs, timeQ75Ms: timeMs, timeMeanMs: timeMs };
  return MeasurementSchema.parse({
    ...{ outcome: 'ok', conditions, algorithm: null, workspaceBytes: null },
    timing: { ...timing, ...times },
  });
}

/** The result of a worker for a batch, with a signature for each sample. */
export function signedResult(
  job: MeasureJob,
  { privateKey, workerId = WORKER, deviceId = DEVICE, attempt = 1, measurement = goodMeasurement() }: Signer,
): MeasureResult {
  const provenance = buildProvenance().record;
  const { campaignId, targetId, batchIndex, protocol } = job;
  return {
    ...{ workerId, deviceId, attempt, provenance },
    results: job.slots.map(({ specIndex, replicate, spec }) => {
      const startedAt = new Date().toISOString();
      const signature = signSample(
        {
          ...{
            campaignId,
            targetId,
            batchIndex,
            attempt,
            specIndex,
            replicate,
            workerId,
            deviceId,
            startedAt,
          },
          protocol: { name: protocol.name, version: protocol.version },
          ...{ specKey: specKey(spec), provenanceId: provenanceId(provenance) },
          ...fieldsOfMeasurement(measurement),
        },
        privateKey,
      );
      return { specIndex, replicate, startedAt, measurement, signature };
    }),
  };
}

/** A received result, sealed by its worker, for the worker's lease of the batch. */
export async function deliveryOf(
  job: MeasureJob,
  result: MeasureResult,
  privateKey: KeyObject,
): Promise<Delivery<'measure'>> {
  const { seal, body } = await sealResult(job, result, privateKey);
  return {
    lease: leaseOf(job, result.attempt),
    ...{ workerId: result.workerId, standing: 'held', result: seal, body, receivedAtMs: Date.now() },
  };
}

export function leaseOf(job: MeasureJob, attempt = 1): Delivery<'measure'>['lease'] {
  const { targetId } = job;
  return { job: 'measure', targetId, id: measureJobId(job), token: `${WORKER}.${'t'.repeat(22)}`, attempt };
}
