import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type DeviceDescription, WORKER_PROTOCOL_VERSION } from '@alphaflops/contracts';
import { createExecutor } from '@alphaflops/executor/testing';
import { CoordinatorClient, type Origin } from '@alphaflops/worker/parts';
import type { Stack } from '../../test/support/stack.js';

/** A worker without its own process or device. The coordinator treats it like any other worker. */
export interface SimulatedWorker {
  readonly id: string;
  readonly client: CoordinatorClient;
  /** Device class and device. */
  readonly targetIds: readonly [string, string];
  readonly origin: Origin & { readonly signingKey: KeyObject };
}

/** Enrols `count` workers with one device each. */
export async function enrolWorkers(stack: Stack, count: number): Promise<SimulatedWorker[]> {
  const { data } = await stack.api.POST('/v1/join-tokens', { body: { name: 'bench', maxUses: count } });
  const token = data?.token ?? '';
  const probed = await createExecutor('fake-one').probe();
  const found = probed.ok ? probed.devices[0] : undefined;
  if (found === undefined) throw new Error('the fake executor has no device');
  const worker = { version: '0', commit: null, dirty: null };
  const provenance = { ...found.provenance, worker };
  const workers: SimulatedWorker[] = [];
  for (let i = 0; i < count; i += 1) {
    const device = { ...found, uuid: `simulated-${i}`, provenance };
    workers.push(await enrolled(stack, token, `simulated-${i}`, device));
  }
  return workers;
}

async function enrolled(
  stack: Stack,
  token: string,
  name: string,
  device: DeviceDescription,
): Promise<SimulatedWorker> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const common = { version: '0', protocolVersion: WORKER_PROTOCOL_VERSION, devices: [device] };
  const { worker, workerToken } = await new CoordinatorClient(stack.url, token).enrol({
    ...common,
    name,
    publicKey: publicKey.export({ format: 'jwk' }).x ?? '',
    labels: {},
  });
  const client = new CoordinatorClient(stack.url, workerToken);
  const { devices } = await client.openSession(worker.id, common);
  const assigned = devices[0];
  if (assigned === undefined) throw new Error(`${name} was assigned no device`);
  return {
    id: worker.id,
    client,
    targetIds: [assigned.deviceClassId, assigned.deviceId],
    origin: {
      workerId: worker.id,
      deviceId: assigned.deviceId,
      provenance: device.provenance,
      signingKey: privateKey,
    },
  };
}
