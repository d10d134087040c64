import { stat } from 'node:fs/promises';
import { type DeviceClass, DeviceClassSchema, IdSchema } from '@alphaflops/contracts';
import type { Command } from 'commander';
import { CliError } from '../../error.js';
import { wholeNumber } from '../../options.js';

/** Facts about the measured device that a table does not contain. */
export interface DeviceClassOptions {
  deviceClass?: string;
  sku?: string;
  kind: 'cpu' | 'gpu';
  smCount?: number;
}

export function withDeviceClass(command: Command, whose: string): Command {
  return command
    .option('--device-class <id>', `device class of ${whose}: an existing one or a new one`)
    .option('--sku <name>', 'for a new device class: name of its devices (default: its id)')
    .option('--kind <cpu|gpu>', 'for a new device class: its kind', 'gpu')
    .option('--sm-count <number>', 'for a new device class: number of multiprocessors', wholeNumber(1));
}

/** The device class that the options describe, made at the time of the file. @throws CliError `usage` */
export async function newDeviceClass(path: string, options: DeviceClassOptions): Promise<DeviceClass> {
  const { deviceClass: id, sku, kind, smCount } = options;
  if (id === undefined) {
    throw new CliError(
      'usage',
      `${path} does not name the device on which it was measured: name a device class with --device-class.`,
    );
  }
  if (!IdSchema.safeParse(id).success) {
    throw new CliError('usage', `--device-class: an id has 1–120 characters of a–z, 0–9, ".", "_", "-".`);
  }
  if (!['cpu', 'gpu'].includes(kind)) throw new CliError('usage', '--kind must be cpu or gpu.');
  return DeviceClassSchema.parse({
    id,
    sku: sku ?? id,
    kind,
    executor: 'imported',
    libraries: {},
    mathMode: 'unknown',
    smCount: smCount ?? null,
    memoryBytes: null,
    createdAt: (await stat(path)).mtime.toISOString(),
  });
}
