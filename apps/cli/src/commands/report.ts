import { basename } from 'node:path';
import { percent } from '@alphaflops/contracts/text';
import { type Model, ModelSchema, VERSION } from '@alphaflops/contracts';
import { fitInputDigest, readAllSamples, type SampleRow, type TextSource } from '@alphaflops/dataset';
import { fitModel } from '@alphaflops/models';
import { type Measured, modelPage, type Replication, replicate, replicationPage } from '@alphaflops/report';
import type { Command } from 'commander';
import { ApiError } from '@alphaflops/api-client';
import { type Connection, connect, type ConnectionOptions, withConnection } from '../connection.js';
import { CliError } from '../error.js';
import { inputName, noteIgnored, readInput, STANDARD, writeText } from '../files.js';
import { isModelFile, modelNamed } from '../model-source.js';
import { fitSample } from '../fit-sample.js';
import { list } from '../options.js';
import { answered } from '../pages.js';
import { type Progress, withProgress } from '../progress.js';
import { json, table } from '../tables.js';

interface ReportOptions extends ConnectionOptions {
  replication?: string | true;
  model?: string;
  data?: string[];
  out: string;
  json?: true;
}

export function reportCommand(command: Command): void {
  withConnection(command)
    .option('--replication [campaign]', 'the experiments of both papers, from this campaign or from --data')
    .option(
      '--model <model>',
      'the figures of a model, by its id or file; with --replication: drawn over its',
    )
    .option('--data <file>', 'samples as CSV instead of those of a coordinator; may be repeated', list)
    .option('--out <file>', 'file for the report; - for standard output', 'report.html')
    .option('--json', 'print the results of the replication as JSON')
    .addHelpText(
      'after',
      '\nThe report draws α as published, α from the replication’s regression on these data, and refitted α. It also draws the\n' +
        'served model, or a model that the command fits to the data. Campaigns of the designs paper-series and replication-A … G\n' +
        'measure the experiments.\n' +
        '\nExamples:\n' +
        '  alphaflops report --replication CAMPAIGN --out replication.html\n' +
        '  alphaflops report --replication --data paper-series.csv --data sweeps.csv --model model.json\n' +
        '  alphaflops report --model CLASS-v3 --out report.html\n' +
        '  alphaflops report --model model.json --data train.csv --out report.html',
    )
    .action(report);
}

async function report(options: ReportOptions): Promise<void> {
  const { replication, model } = options;
  if (replication !== undefined) await replicationReport(options);
  else if (model !== undefined) await modelReport(model, options);
  else throw new CliError('usage', 'Say --replication CAMPAIGN or --model MODEL.');
}

async function modelReport(name: string, options: ReportOptions): Promise<void> {
  const model = await modelNamed(name, options);
  const { deviceClassId } = model;
  const samples =
    options.data !== undefined
      ? await readFiles(options.data)
      : isModelFile(name) || deviceClassId === null
        ? []
        : await samplesOf(connect(options), { deviceClassId });
  await write(options, modelPage(model, samples.map(measuredOf)));
}

async function replicationReport(options: ReportOptions): Promise<void> {
  const { replication, data, model } = options;
  if ((replication === true) === (data === undefined)) {
    throw new CliError('usage', 'Give --replication a campaign, or --data FILE.');
  }
  const found = await withProgress(async (show) => {
    const { title, samples, served } =
      typeof replication === 'string'
        ? await ofCampaign(replication, connect(options), model, options)
        : await ofFiles(data ?? [], model, options, show);
    const replicated = replicate({ title, measured: samples.map(measuredOf), served, onProgress: show });
    return { title, ...replicated };
  });
  if (found.figures.length === 0) {
    throw new CliError(
      'bad-input',
      'None of these samples belongs to an experiment of the papers. The designs paper-series and replication-A … replication-G measure them.',
    );
  }
  await write(options, replicationPage(found.title, found), found);
}

interface Source {
  title: string;
  samples: SampleRow[];
  served: { model: Model; name: string } | null;
}

async function ofCampaign(
  id: string,
  connection: Connection,
  model: string | undefined,
  options: ReportOptions,
): Promise<Source> {
  const { data } = await connection.api.GET('/v1/campaigns/{id}', { params: { path: { id } } });
  const { name, deviceClassId } = answered(data);
  const served =
    model === undefined ? await latest(connection, deviceClassId) : await modelNamed(model, options);
  return {
    title: `Replication on ${deviceClassId}: ${name}`,
    samples: await samplesOf(connection, { campaignId: id }),
    served: served && { model: served, name: `model ${served.id ?? ''}`.trim() },
  };
}

async function ofFiles(
  files: readonly string[],
  model: string | undefined,
  options: ReportOptions,
  show: Progress['update'],
): Promise<Source> {
  const samples = await readFiles(files);
  const served =
    model === undefined
      ? { model: fitHere(samples, show), name: 'model fitted to these data' }
      : { model: await modelNamed(model, options), name: 'the model' };
  return {
    title: `Replication from ${files.map((file) => basename(inputName(file))).join(', ')}`,
    samples,
    served,
  };
}

function fitHere(samples: readonly SampleRow[], show: Progress['update']): Model {
  const rows = samples.map(fitSample);
  const origin = { digest: fitInputDigest(rows), codeVersion: VERSION, createdAt: new Date().toISOString() };
  return fitModel(rows, { origin, onProgress: (done, total, form) => { show(done, total, `fitting ${form}`); } }); // prettier-ignore
}

async function latest({ api }: Connection, id: string): Promise<Model | null> {
  try {
    const { data } = await api.GET('/v1/device-classes/{id}/models/latest', { params: { path: { id } } });
    return ModelSchema.parse(answered(data));
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

async function readFiles(files: readonly string[]): Promise<SampleRow[]> {
  const all: SampleRow[] = [];
  for (const file of files)
    all.push(...(await readAllSamples(readInput(file), inputName(file), noteIgnored(file))));
  return all;
}

async function samplesOf(
  { api }: Connection,
  filter: { campaignId: string } | { deviceClassId: string },
): Promise<SampleRow[]> {
  const query = { format: 'csv' as const, ...filter };
  const { data } = await api.GET('/v1/samples/stream', { params: { query }, parseAs: 'stream' });
  return readAllSamples(answered<unknown>(data) as TextSource, 'the samples of the coordinator');
}

function measuredOf({ spec, timeMs, extras }: SampleRow): Measured {
  return { spec, timeMs, eagerMs: extras.eager_ms ?? null };
}

async function write({ out, json: asJson }: ReportOptions, html: string, found?: Replication): Promise<void> {
  await writeText(out, html);
  const summary = asJson === true ? json(found === undefined ? { out } : { out, ...summaryJson(found) }) : summaryOf(out, found); // prettier-ignore
  if (out === STANDARD) console.error(summary);
  else console.log(summary);
}

function summaryJson({ curves, figures, missing }: Replication) {
  return {
    curves: curves.map(({ name, meaning }) => ({ name, meaning })),
    experiments: figures.map(({ finding }) => finding),
    missing,
  };
}

function summaryOf(out: string, found: Replication | undefined): string {
  const where = out === STANDARD ? [] : [`The report is in ${out}.`];
  if (found === undefined) return where.join('\n');
  const head = ['experiment', 'measured', 'eager / device', ...found.curves.map(({ name }) => name)];
  const rows = found.figures.map(({ finding: { id, measured, planned, eagerOverDevice, errors } }) => [
    id,
    `${measured} of ${planned}`,
    eagerOverDevice?.toFixed(2) ?? '',
    ...errors.map(({ medianApe }) => percent(medianApe)),
  ]);
  const missing = found.missing.length === 0 ? [] : [`\nNot measured: ${found.missing.join(', ')}.`];
  return [table(head, rows, 1), ...missing, '', ...where].join('\n');
}
