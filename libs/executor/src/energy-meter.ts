import type { DeviceDescription, EnergyMeterDescription, Result } from '@alphaflops/contracts';
import type { MeterReading } from '@alphaflops/measure';
import { z } from 'zod';
import { ExecutorError } from './error.js';

/** The properties of a device that determine its energy meter. */
export const MeteredDeviceSchema = z.object({
  uuid: z.string(),
  kind: z.enum(['cpu', 'gpu']),
  /** Address on the PCI bus, such as `0000:3b:00.0`; null if the executor does not know it. */
  pciBusId: z.string().nullable(),
  /** Vendor of a GPU in the executor's spelling, such as `amd`; null if not known. */
  vendor: z.string().nullable(),
});
export type MeteredDevice = z.infer<typeof MeteredDeviceSchema>;

/** The part of a device's description that energy meters use. */
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
 * Counts the energy of one device, for all programs that compute on it. An adapter is a package that exports
 * `openEnergyMeter`. The constructor opens the resources of a meter, and `close` releases them.
 */
export abstract class EnergyMeter {
  abstract readonly description: Extract<EnergyMeterDescription, { available: true }>;
  /** The present reading. It takes well under a millisecond. Throws when the hardware fails. */
  abstract read(): MeterReading;
  /**
   * Processor time in ms that other programs of this machine have used so far, if the meter counts the whole machine. Null if
   * it counts a device on which only one program computes.
   */
  abstract otherProcessorMs(): number | null;
  abstract close(): void;
}

export type OpenedMeter = Result<{ meter: EnergyMeter }>;

/** The exports of a package of energy meters. */
export interface EnergyMeterModule {
  /** The meter of a device, or the reason why it has no meter. Does not throw. */
  openEnergyMeter(device: MeteredDevice, settings: EnergyMeterSettings): OpenedMeter;
}

/** Settings of the meters of this machine, from the worker and never from a coordinator. */
export interface EnergyMeterSettings {
  /** Folders with NVIDIA's libraries. */
  readonly libraryPath?: readonly string[];
  /** Root folder of the files of the kernel: `/`, except in tests. */
  readonly root?: string;
}

/** The package of the energy meters. */
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
