import type { DeviceDescription } from '@alphaflops/contracts';
import { ExecutorHost, type ExecutorReference, meteredDevice } from '@alphaflops/executor';
import { lockGpus } from './gpu-lock.js';
import { withIdlePower } from './idle-power.js';
import type { Log } from './log.js';
import type { Wait } from './wait.js';

export interface OwnDevices {
  /** With the idle power of each. */
  readonly descriptions: readonly DeviceDescription[];
  /** In the order of the descriptions. */
  readonly hosts: readonly ExecutorHost[];
  readonly close: () => Promise<unknown>;
}

/**
 * Reserves the devices of this machine for this process.
 * @throws WorkerError when another worker of this machine has one of the GPUs
 */
export async function openDevices(
  found: readonly DeviceDescription[],
  references: readonly ExecutorReference[],
  environment: { readonly wait: Wait; readonly log: Log; readonly signal: AbortSignal },
): Promise<OwnDevices> {
  const locks = await lockGpus(found);
  const hosts = found.map((description) => hostOf(description, references));
  const descriptions = await withIdlePower(
    found.map((description, at) => ({ description, host: hosts[at] as ExecutorHost })),
    environment,
  );
  return {
    descriptions,
    hosts,
    close: () => Promise.all([...hosts, ...locks].map((held) => held.close())),
  };
}

function hostOf(description: DeviceDescription, references: readonly ExecutorReference[]): ExecutorHost {
  const reference = references.find((candidate) => candidate.executor === description.executor);
  if (reference === undefined) throw new Error(`a device of the unknown executor ${description.executor}`);
  return new ExecutorHost({
    ...reference,
    deviceUuid: description.uuid,
    metered: meteredDevice(description),
  });
}
