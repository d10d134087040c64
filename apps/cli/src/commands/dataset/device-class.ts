import { stat } from 'node:fs/promises';
import { type DeviceClass, DeviceClassSchema, IdSchema } from '@alphaflops/contracts';
import type { Command } from 'commander';
import { CliError } from '../../error.js';
import { wholeNumber } from '../../options.js';

/** What a table does not say of the device it was measured on. */
export interface DeviceClassOptions {
  deviceClass?: string;
  sku?: string;
  kind: 'cpu' | 'gpu';
  smCount?: number;
}

export function withDeviceClass(command: Command, whose: string): Command {
  return command
    .option('--device-class <id>', `device class of ${whose}: one that is known, or a new one`)
    .option('--sku <name>', 'of a new device class: what its devices are called (default: its id)')
    .option('--kind <cpu|gpu>', 'of a new device class', 'gpu')
    .option('--sm-count <number>', 'of a new device class: multiprocessors', wholeNumber(1));
}

/** The device class that the options describe, made at the time of the file. @throws CliError `usage` */
export async function newDeviceClass(path: string, options: DeviceClassOptions): Promise<DeviceClass> {
  const { deviceClass: id, sku, kind, smCount } = options;
  if (id === undefined) {
    throw new CliError(
      'usage',
      `${path} does not say what it was measured on: name a device class with --device-class.`,
    );
  }
  if (!IdSchema.safeParse(id).success) {
    throw new CliError('usage', `--device-class: an id is 1–120 of a–z, 0–9, ".", "_", "-".`);
  }
  if (!['cpu', 'gpu'].includes(kind)) throw new CliError('usage', '--kind is cpu or gpu.');
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
