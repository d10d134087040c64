import type { DeviceDescription, Measurement, Protocol, Provenance } from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import { ExecutorHost, meteredDevice } from '@alphaflops/executor';
import { defaultProtocol, MeasureError, protocolNamed, withEnergy } from '@alphaflops/measure';
import { WorkerError } from './error.js';
import { type MachineSettings, referenceOf } from './executors.js';
import { idlePowerW } from './idle-power.js';
import { lockGpus } from './gpu-lock.js';
import { probeNamed } from './probe-named.js';
import { wait } from './wait.js';

export interface BenchRequest extends MachineSettings {
  readonly spec: ConvSpec;
  /** Null: the first preferred one that works. */
  readonly executor: string | null;
  /** Null: the first of the executor. */
  readonly deviceUuid: string | null;
  /** Null: the one for the device. */
  readonly protocol: string | null;
  readonly energy: boolean;
}

export interface BenchReport {
  readonly spec: ConvSpec;
  readonly device: DeviceDescription;
  readonly protocol: Protocol;
  readonly measurement: Measurement;
}

/**
 * Times one convolution like a worker, in the same kind of process, without a coordinator.
 * @throws WorkerError `no-device`, `device-in-use`, `usage`; ExecutorError when the executor does not start
 */
export async function bench(request: BenchRequest, worker: Provenance['worker']): Promise<BenchReport> {
  const { spec, executor, deviceUuid } = request;
  const { devices } = await probeNamed(executor === null ? null : [executor], request, worker);
  const device = devices.find(({ uuid }) => deviceUuid === null || uuid === deviceUuid);
  if (device === undefined) {
    const found = devices.map(({ uuid }) => uuid).join(', ');
    throw new WorkerError('usage', `--device: this machine has no ${deviceUuid ?? ''}, only ${found}.`);
  }
  const protocol = protocolOf(request, device);
  const locks = await lockGpus([device]);
  const host = new ExecutorHost({
    ...referenceOf(device.executor, request),
    deviceUuid: device.uuid,
    metered: meteredDevice(device),
  });
  try {
    const never = new AbortController().signal;
    if (request.energy && device.kind === 'gpu') host.idlePowerW = await idlePowerW(host, wait, never);
    return { spec, device, protocol, measurement: await host.measure(spec, protocol) };
  } finally {
    await Promise.all([host, ...locks].map((held) => held.close()));
  }
}

function protocolOf({ protocol, energy }: BenchRequest, { kind }: DeviceDescription): Protocol {
  try {
    const found = protocol === null ? defaultProtocol(kind) : protocolNamed(protocol);
    return energy ? withEnergy(found) : found;
  } catch (error) {
    if (error instanceof MeasureError) throw new WorkerError('usage', `--protocol: ${error.message}.`);
    throw error;
  }
}
