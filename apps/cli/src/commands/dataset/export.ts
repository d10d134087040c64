import {
  DATASET_FORMATS,
  DATASET_LICENCES,
  type Dataset,
  DatasetFilterSchema,
  type DatasetFormat,
  type DatasetRequest,
  DatasetRequestSchema,
  VERSION,
} from '@alphaflops/contracts';
import { datasetFiles, type DatasetParts, DatasetSummary, type NumberedRow } from '@alphaflops/dataset';
import { parseModel } from '@alphaflops/models';
import { type Command, Option } from 'commander';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { connect, type ConnectionOptions, withConnection } from '../../connection.js';
import { downloaded } from '../../datasets/download.js';
import { foreignRows } from '../../datasets/foreign.js';
import { rowProgress } from '../../datasets/progress.js';
import { readDocument, sourceAt } from '../../datasets/source.js';
import { writeDirectory } from '../../datasets/write-directory.js';
import { CliError } from '../../error.js';
import { readText } from '../../files.js';
import { list } from '../../options.js';
import { answered } from '../../pages.js';
import { json } from '../../tables.js';
import { type DeviceClassOptions, newDeviceClass, withDeviceClass } from './device-class.js';

interface ExportOptions extends ConnectionOptions, DeviceClassOptions {
  out: string;
  format: DatasetFormat;
  id?: string;
  data?: string;
  campaign?: string;
  device?: string;
  from?: string;
  to?: string;
  name?: string;
  title?: string;
  description?: string;
  licence?: string;
  creator?: string[];
  json?: true;
}

export function datasetExportCommand(command: Command): void {
  withConnection(command)
    .requiredOption('--out <dir>', 'a new directory')
    .addOption(
      new Option('--format <name>', 'file format of the rows')
        .choices([...DATASET_FORMATS])
        .default('parquet'),
    )
    .option('--campaign <id>', 'samples of this campaign')
    .option('--device <id>', 'samples of this device')
    .option('--from <time>', 'samples recorded at this time or later, such as 2026-11-23T02:00:00+02:00')
    .option('--to <time>', 'recorded before')
    .option('--id <id>', 'a data set that was frozen before')
    .option('--data <path>', 'use this file or directory instead of a coordinator')
    .option('--name <name>', 'snapshots of one name are its versions (default: samples)')
    .option('--title <text>', 'title of the data card')
    .option('--description <text>', 'description in the data card')
    .addOption(
      new Option('--licence <id>', 'licence of the data set (default: cc-by-4.0)').choices([
        ...DATASET_LICENCES,
      ]),
    )
    .option('--creator <names>', 'people to cite; separated by commas, may be repeated', list)
    .option('--json', 'print JSON');
  withDeviceClass(command, 'the samples')
    .addHelpText(
      'after',
      '\nThe id of a data set is the digest of its content: the same samples give the same id, in every format.\n' +
        'docs/datasets.md describes the directory.\n' +
        '\nExamples:\n  alphaflops dataset export --device-class ID --title "H100, cuDNN 9" --out h100\n' +
        '  alphaflops dataset export --data measured.csv --device-class my-gpu --format jsonl --out my-gpu',
    )
    .action(exportDataset);
}

async function exportDataset(options: ExportOptions): Promise<void> {
  const progress = rowProgress();
  const parts = await (options.data === undefined
    ? partsOnline(options, progress.update)
    : partsOf(options.data, options));
  await writeDirectory(options.out, datasetFiles(parts, options.format));
  progress.stop();
  const { dataset } = parts;
  if (options.json === true) console.log(json(dataset));
  else {
    console.log(
      `${dataset.rows} rows, ${dataset.name} version ${dataset.version}, in ${options.out}\nid ${dataset.id}`,
    );
  }
}

async function partsOnline(
  options: ExportOptions,
  onProgress: (rows: number) => void,
): Promise<DatasetParts> {
  const { api } = connect(options);
  const { data } =
    options.id === undefined
      ? await api.POST('/v1/datasets', { body: requestOf(options) })
      : await api.GET('/v1/datasets/{id}', { params: { path: { id: options.id } } });
  const dataset: Dataset = answered(data);
  return downloaded(api, dataset, onProgress);
}

function requestOf(options: ExportOptions): DatasetRequest {
  const { campaign, deviceClass, device, from, to } = options;
  const filter = checked(DatasetFilterSchema, {
    ...(campaign !== undefined && { campaignId: campaign }),
    ...(deviceClass !== undefined && { deviceClassId: deviceClass }),
    ...(device !== undefined && { deviceId: device }),
    ...(from !== undefined && { recordedFrom: from }),
    ...(to !== undefined && { recordedTo: to }),
  });
  return { ...aboutOf(options), filter };
}

function aboutOf({ name, title, description, licence, creator }: ExportOptions) {
  return checked(DatasetRequestSchema.omit({ filter: true }), {
    ...{ name, title, description, licence },
    creators: creator,
  });
}

/** @throws CliError `usage` */
function checked<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new CliError('usage', z.prettifyError(parsed.error));
}

/** The data set of a file or directory. The data set of a directory changes only its format. */
async function partsOf(path: string, options: ExportOptions): Promise<DatasetParts> {
  const filters = [options.campaign, options.device, options.from, options.to, options.id];
  if (filters.some((value) => value !== undefined)) {
    throw new CliError(
      'usage',
      '--data uses the whole file: leave out the options that select samples of a coordinator.',
    );
  }
  const source = await sourceAt(path);
  if (source.kind === 'rows') {
    throw new CliError(
      'usage',
      `${path} belongs to a data set: give its directory, with dataset.json in it.`,
    );
  }
  if (source.kind === 'directory') {
    const { dataset, provenance } = source;
    const summary = await summaryOf(source.rows());
    const { id } = summary.counted();
    if (id !== dataset.id) {
      throw new CliError('bad-input', `${path} is damaged: its rows are ${id}, not ${dataset.id}.`);
    }
    const models = await Promise.all(
      dataset.fitInputs.map(async ({ modelId }) =>
        parseModel(await readDocument(join(path, `models/${modelId}.json`))),
      ),
    );
    const kernelMaps = await Promise.all(
      (dataset.kernelMaps ?? []).map(async ({ id: mapId }) => ({
        id: mapId,
        csv: await readText(join(path, `kernel-maps/${mapId}.csv`)),
      })),
    );
    return { dataset, provenance, models, kernelMaps, rows: () => plainRows(source.rows()) };
  }
  const deviceClass = await newDeviceClass(path, options);
  const { rows, provenance } = await foreignRows(path, deviceClass);
  const dataset: Dataset = {
    schema: 'alphaflops.dataset/1',
    ...aboutOf(options),
    ...(await summaryOf(rows())).counted(),
    version: 1,
    createdAt: (await stat(path)).mtime.toISOString(),
    codeVersion: VERSION,
    filter: {},
    leftOut: {},
    deviceClasses: [deviceClass],
    workers: [],
    fitInputs: [],
  };
  return { dataset, provenance: [provenance], models: [], rows: () => plainRows(rows()) };
}

async function summaryOf(rows: AsyncIterable<NumberedRow>): Promise<DatasetSummary> {
  const summary = new DatasetSummary();
  for await (const { row } of rows) summary.add(row, row.protocol === 'imported');
  return summary;
}

async function* plainRows(rows: AsyncIterable<NumberedRow>) {
  for await (const { row } of rows) yield row;
}
