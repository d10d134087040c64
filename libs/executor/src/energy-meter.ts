import type { DeviceDescription, EnergyMeterDescription, Result } from '@alphaflops/contracts';
import type { MeterReading } from '@alphaflops/measure';
import { z } from 'zod';
import { ExecutorError } from './error.js';

/** What has to be known of a device to find the meter that counts its energy. */
export const MeteredDeviceSchema = z.object({
  uuid: z.string(),
  kind: z.enum(['cpu', 'gpu']),
  /** Address on the PCI bus, such as `0000:3b:00.0`; null where the executor does not know it. */
  pciBusId: z.string().nullable(),
  /** Maker of a GPU as its executor names it, such as `amd`; null where not known. */
  vendor: z.string().nullable(),
});
export type MeteredDevice = z.infer<typeof MeteredDeviceSchema>;

/** What of a device's description matters to energy meters. */
export function meteredDevice({
  uuid,
  kind,
  provenance,
}: Pick<DeviceDescription, 'uuid' | 'kind'> & {
  provenance: Pick<DeviceDescription['provenance'], 'device'>;
}): MeteredDevice {
  const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
  const { pciBusId, vendor } = provenance.device;
  return { uuid, kind, pciBusId: text(pciBusId), vendor: text(vendor) };
}

/**
 * Counts the energy of one device, whoever computes on it. An adapter is a package that exports `openEnergyMeter`;
 * its constructor opens what it needs, `close` gives it back.
 */
export abstract class EnergyMeter {
  abstract readonly description: Extract<EnergyMeterDescription, { available: true }>;
  /** The meter at this moment. Takes well under a millisecond. Throws where the hardware fails. */
  abstract read(): MeterReading;
  /**
   * Processor time in ms that other programs of this machine have used so far, where the meter counts the whole machine;
   * null where it counts a device that one program computes on.
   */
  abstract otherProcessorMs(): number | null;
  abstract close(): void;
}

export type OpenedMeter = Result<{ meter: EnergyMeter }>;

/** What the package of energy meters exports. */
export interface EnergyMeterModule {
  /** The meter of a device, or the reason why it has no meter. Does not throw. */
  openEnergyMeter(device: MeteredDevice, settings: EnergyMeterSettings): OpenedMeter;
}

/** How this machine's meters are found; comes from the worker, never from a coordinator. */
export interface EnergyMeterSettings {
  /** Folders with NVIDIA's libraries. */
  readonly libraryPath?: readonly string[];
  /** Root of the files of the kernel, `/` unless in tests. */
  readonly root?: string;
}

/** Where the energy meters are found. */
export interface EnergyReference {
  /** Package name or file URL. */
  readonly module: string;
  readonly settings: EnergyMeterSettings;
}

/** @throws ExecutorError `start-failed` when the package cannot be loaded */
export async function loadEnergyMeters({ module }: EnergyReference): Promise<EnergyMeterModule> {
  let found: Partial<EnergyMeterModule>;
  try {
    found = (await import(module)) as Partial<EnergyMeterModule>;
  } catch (error) {
    throw new ExecutorError(
      'start-failed',
      `the energy meters "${module}" cannot be loaded: ${String(error)}`,
      {
        cause: error,
      },
    );
  }
  if (typeof found.openEnergyMeter !== 'function') {
    throw new ExecutorError(
      'start-failed',
      `"${module}" has no energy meters: it exports no openEnergyMeter`,
    );
  }
  return found as EnergyMeterModule;
}
