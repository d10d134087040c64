import { ApiError, type ApiClient } from '@alphaflops/api-client';
import type { DeviceClass } from '@alphaflops/contracts';
import { DatasetDigest } from '@alphaflops/dataset';
import type { Command } from 'commander';
import { connect, type ConnectionOptions, withConnection } from '../../connection.js';
import { foreignRows } from '../../datasets/foreign.js';
import { importRows, type ToImport } from '../../datasets/import.js';
import { rowProgress } from '../../datasets/progress.js';
import { sourceAt } from '../../datasets/source.js';
import { CliError } from '../../error.js';
import { answered } from '../../pages.js';
import { json } from '../../tables.js';
import { type DeviceClassOptions, newDeviceClass, withDeviceClass } from './device-class.js';

interface ImportOptions extends ConnectionOptions, DeviceClassOptions {
  json?: true;
}

export function datasetImportCommand(command: Command): void {
  withConnection(
    command.argument(
      '<path>',
      'directory of a data set, or a table: canonical, the authors’ or the replication’s',
    ),
  );
  withDeviceClass(command, 'a table')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nThe command reads and checks all data before it sends anything. Fits and predictions use imported samples like\n' +
        'measured ones. Imported samples have no signature. You can repeat an interrupted import: nothing is stored twice.\n' +
        '\nExamples:\n  alphaflops dataset import h100\n' +
        '  alphaflops dataset import asperti-2021.csv --device-class quadro-t2000 --sku "NVIDIA Quadro T2000"',
    )
    .action(importDataset);
}

async function importDataset(path: string, options: ImportOptions): Promise<void> {
  const { api } = connect(options);
  const progress = rowProgress();
  const result = await importRows(api, await toImport(path, options, api), progress.update);
  progress.stop();
  if (options.json === true) console.log(json(result));
  else console.log(`${result.recorded} samples stored, ${result.present} existed already.`);
}

async function toImport(path: string, options: ImportOptions, api: ApiClient): Promise<ToImport> {
  const source = await sourceAt(path);
  if (source.kind === 'rows') {
    throw new CliError(
      'usage',
      `${path} belongs to a data set: give its directory, with dataset.json in it.`,
    );
  }
  if (source.kind === 'directory') {
    const { dataset, provenance, rows } = source;
    const digest = new DatasetDigest();
    for await (const { row } of rows()) digest.add(row);
    const id = digest.id();
    if (id !== dataset.id) {
      throw new CliError(
        'bad-input',
        `${path} is damaged: its rows are ${id}, not ${dataset.id}. "alphaflops dataset verify" gives details.`,
      );
    }
    return { rows: rows(), provenance, deviceClasses: dataset.deviceClasses };
  }
  const deviceClass = (await knownClass(options.deviceClass, api)) ?? (await newDeviceClass(path, options));
  const { rows, provenance } = await foreignRows(path, deviceClass);
  return { rows: rows(), provenance: [provenance], deviceClasses: [deviceClass] };
}

async function knownClass(id: string | undefined, api: ApiClient): Promise<DeviceClass | null> {
  if (id === undefined) return null;
  try {
    const { data } = await api.GET('/v1/device-classes/{id}', { params: { path: { id } } });
    return answered(data);
  } catch (error) {
    if (error instanceof ApiError && [400, 404].includes(error.status)) return null;
    throw error;
  }
}
