import { type Conditions, type DeviceDescription, errorText } from '@alphaflops/contracts';
import type { Log } from './log.js';
import type { Wait } from './wait.js';

/** An opened device uses more power for a moment, and drivers report the average of a second. */
const READINGS = 16;
const EVERY_MS = 200;

/**
 * Power of a device that is open and computes nothing, in W: the lowest of the readings of three seconds. Null if power
 * cannot be read, or if other processes compute on the device.
 */
export async function idlePowerW(
  device: { readConditions(signal: AbortSignal): Promise<Conditions> },
  wait: Wait,
  signal: AbortSignal,
): Promise<number | null> {
  let lowest = Infinity;
  for (let reading = 0; reading < READINGS; reading++) {
    if (reading > 0) await wait(EVERY_MS, signal);
    if (signal.aborted) return null;
    const { powerW, otherProcesses } = await device.readConditions(signal);
    if (powerW === null || (otherProcesses ?? 0) > 0) return null;
    lowest = Math.min(lowest, powerW);
  }
  return lowest;
}

/** One device and the reader of its state. */
export interface Readable {
  readonly description: DeviceDescription;
  readonly host: {
    readConditions(signal: AbortSignal): Promise<Conditions>;
    /** Set here, to compute the energy above idle of its samples. */
    idlePowerW: number | null;
  };
}

/** Descriptions with the idle power of each GPU in its provenance; their hosts get it too. */
export async function withIdlePower(
  devices: readonly Readable[],
  { wait, log, signal }: { wait: Wait; log: Log; signal: AbortSignal },
): Promise<DeviceDescription[]> {
  const gpus = new Map<string, Promise<number | null>>();
  for (const { description, host } of devices) {
    const { uuid, kind } = description;
    if (kind !== 'gpu' || gpus.has(uuid)) continue;
    const powerW = idlePowerW(host, wait, signal).catch((error: unknown) => {
      log.warn(`The idle power of ${uuid} is not known: ${errorText(error)}`);
      return null;
    });
    gpus.set(uuid, powerW);
  }
  return await Promise.all(
    devices.map(async ({ description, host }) => {
      const powerW = gpus.get(description.uuid);
      if (powerW === undefined) return description;
      const { provenance } = description;
      host.idlePowerW = await powerW;
      const device = { ...provenance.device, idlePowerW: host.idlePowerW };
      return { ...description, provenance: { ...provenance, device } };
    }),
  );
}
