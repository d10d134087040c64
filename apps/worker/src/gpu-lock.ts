import type { DeviceDescription } from '@alphaflops/contracts';
import { WorkerError } from './error.js';
import { MachineLock } from './machine-lock.js';

/**
 * The exclusive right to measure on a GPU, so that two workers never measure on one GPU.
 * @throws WorkerError `device-in-use` with the holder's process id
 */
export function lockGpu(uuid: string): Promise<MachineLock> {
  return MachineLock.take(`device/${uuid}`, (holderPid) => {
    const [who, how] =
      holderPid === null ? ['another process', 'it'] : [`process ${holderPid}`, `it (kill ${holderPid})`];
    return new WorkerError(
      'device-in-use',
      `${uuid} is in use by ${who}, another worker of this machine: two workers would change each other’s times. ` +
        `Stop ${how}, or show each worker other GPUs with CUDA_VISIBLE_DEVICES.`,
    );
  });
}

/**
 * Locks all GPUs, or none. Host processors are shared and have no lock: an executor on one computes on one thread and is timed by
 * the time of that thread, if the system reports it. Several workers on a machine with many cores are usual.
 */
export async function lockGpus(
  devices: readonly Pick<DeviceDescription, 'uuid' | 'kind'>[],
): Promise<MachineLock[]> {
  const locks: MachineLock[] = [];
  try {
    for (const uuid of new Set(devices.filter(({ kind }) => kind === 'gpu').map((device) => device.uuid))) {
      locks.push(await lockGpu(uuid));
    }
    return locks;
  } catch (error) {
    await Promise.all(locks.map((lock) => lock.close()));
    throw error;
  }
}
