import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  type DeviceClass,
  type Lease,
  type LeaseRef,
  type MeasureJob,
  type MeasureResult,
  RESULT_HEADERS,
  type SlotResult,
  type Worker,
} from '@alphaflops/contracts';
import { specKey } from '@alphaflops/conv';
import {
  fieldsOfMeasurement,
  provenanceId,
  type SealedResult,
  sealResult,
  signSample,
} from '@alphaflops/provenance';
import { type Answer, enrolment, request } from './requests.js';
import type { Stack } from './stack.js';

/** A correctly enrolled worker that sends arbitrary requests. It has no other parts of a worker. */
export class Intruder {
  private constructor(
    private readonly stack: Stack,
    readonly id: string,
    readonly token: string,
    readonly deviceId: string,
    readonly provenance: MeasureResult['provenance'],
    readonly privateKey: KeyObject,
  ) {}

  /** Enrols with a device of this class, or of a new class if none is given. */
  static async enrol(stack: Stack, name: string, deviceClass?: DeviceClass): Promise<Intruder> {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const join = await request(stack, 'POST', '/v1/join-tokens', { body: {} });
    const base = enrolment(name, `device-of-${name}`);
    const { sku, kind, executor, libraries, mathMode } = deviceClass ?? {};
    const provenance = {
      ...base.devices[0]?.provenance,
      ...(deviceClass && { libraries, mathMode }),
    } as MeasureResult['provenance'];
    const devices = base.devices.map((device) => ({
      ...device,
      ...(deviceClass && { sku, kind, executor }),
      provenance,
    }));
    const answer = await request(stack, 'POST', '/v1/workers', {
      body: { ...base, devices, publicKey: publicKey.export({ format: 'jwk' }).x },
      token: (join.body as { token: string }).token,
    });
    if (answer.status !== 201) throw new Error(answer.text);
    const { worker, workerToken } = answer.body as { worker: Worker; workerToken: string };
    return new Intruder(
      ...([stack, worker.id, workerToken, worker.deviceIds[0] ?? '', provenance, privateKey] as const),
    );
  }

  /** Sends a request as this worker, or with the id of another worker if it is given. */
  call(path: string, body: unknown, as = this.id): Promise<Answer> {
    return request(this.stack, 'POST', `/v1/workers/${as}/${path}`, { body, token: this.token });
  }

  /** Requests work until it gets some. */
  async take(...targetIds: string[]): Promise<Lease<'measure'>> {
    for (;;) {
      const answer = await this.call('leases', { jobs: ['measure'], targetIds });
      if (answer.status === 200) return answer.body as Lease<'measure'>;
      if (answer.status !== 204) throw new Error(answer.text);
    }
  }

  bring(lease: LeaseRef, { seal, body }: SealedResult, as = this.id): Promise<Answer> {
    return this.send(lease, seal, body, as);
  }

  /** Sends a result of any kind. */
  async send(lease: unknown, seal: unknown, body: Uint8Array, as = this.id): Promise<Answer> {
    const answer = await fetch(`${this.stack.url}/v1/workers/${as}/leases/result`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${this.token}`,
        'content-type': 'application/octet-stream',
        [RESULT_HEADERS.lease]: JSON.stringify(lease),
        [RESULT_HEADERS.seal]: JSON.stringify(seal),
      },
      body: Buffer.from(body),
    });
    const text = await answer.text();
    return {
      status: answer.status,
      headers: answer.headers,
      text,
      body: text === '' ? undefined : (JSON.parse(text) as unknown),
    };
  }
}

/** The part of a lease that identifies it. */
export function refOf({ job, targetId, id, token, attempt }: Lease): LeaseRef {
  return { job, targetId, id, token, attempt };
}

/**
 * A result that was made up.
 * @param privateKey what signs the batch
 * @param samplesKey what signs each of its samples
 */
export function forged(
  job: MeasureJob,
  attempt: number,
  by: Pick<Intruder, 'id' | 'deviceId' | 'provenance'>,
  privateKey: KeyObject,
  samplesKey = privateKey,
): Promise<SealedResult> {
  const { campaignId, targetId, batchIndex, protocol } = job;
  const measurement = { outcome: 'unsupported' as const, reason: 'forged', timing: null, conditions: null };
  const results = job.slots.map(({ specIndex, replicate, spec }): SlotResult => {
    const slot = { specIndex, replicate, startedAt: new Date().toISOString() };
    const fields = {
      ...{ campaignId, targetId, batchIndex, attempt, workerId: by.id, deviceId: by.deviceId },
      ...{ ...slot, specKey: specKey(spec), provenanceId: provenanceId(by.provenance) },
      protocol: { name: protocol.name, version: protocol.version },
      ...fieldsOfMeasurement(measurement),
    };
    return { ...slot, measurement, signature: signSample(fields, samplesKey) };
  });
  const { id: workerId, deviceId, provenance } = by;
  return sealResult(job, { workerId, deviceId, attempt, provenance, results }, privateKey);
}
