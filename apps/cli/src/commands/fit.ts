import { stat } from 'node:fs/promises';
import { KernelMapKeySchema, VERSION, type Model } from '@alphaflops/contracts';
import { fitInputDigest, fitRowOf, readAllSamples, readKernelLabels, readSamples } from '@alphaflops/dataset';
import {
  FIT_DEFAULTS,
  fitModel,
  FORMS,
  type FitLoss,
  type FitOptions as ModelFitOptions,
  type FitSample,
  type KernelLabel,
} from '@alphaflops/models';
import { type Command, Option } from 'commander';
import { z } from 'zod';
import { rowFileIn } from '../datasets/source.js';
import { CliError } from '../error.js';
import { fitSample } from '../fit-sample.js';
import { inputName, noteIgnored, readInput, readText, STANDARD, writeText } from '../files.js';
import { modelFrom } from '../model-source.js';
import { energySummary, heldOutTable, kernelSummary, notesOf, parametersTable } from '../model-tables.js';
import { seed, share, wholeNumber } from '../options.js';
import { withProgress } from '../progress.js';
import { indented, json } from '../tables.js';

interface FitOptions {
  data: string;
  out: string;
  limit?: number;
  form: string;
  seed: number;
  loss: FitLoss;
  coverage: number;
  source?: string;
  kernels?: string;
  cudnn?: string;
  computeCapability?: string;
  smCount?: number;
  json?: true;
}

export function fitCommand(command: Command): void {
  const forms = FORMS.map(({ name }) => name).join(', ');
  command
    .requiredOption(
      '--data <file>',
      'samples: canonical CSV, the authors’ or the replication’s, or the directory of a data set; - for standard input',
    )
    .requiredOption('--out <file>', 'file for the model (JSON); - for standard output')
    .option('--limit <rows>', 'use only the first rows of the file', wholeNumber(1))
    .option('--form <name>', `auto (the smallest held-out error), ${forms}`, FIT_DEFAULTS.form)
    .option('--seed <number>', 'seed of the folds of cross-validation', seed, FIT_DEFAULTS.seed)
    .addOption(
      new Option('--loss <kind>', 'relative (log time, robust) or absolute (milliseconds)')
        .choices(['relative', 'absolute'])
        .default(FIT_DEFAULTS.loss),
    )
    .option('--coverage <share>', 'requested coverage of the interval', share, FIT_DEFAULTS.coverage)
    .option(
      '--source <file>',
      'model or samples of another device, as a start if this device has few samples',
    )
    .option(
      '--kernels <file>',
      'shapes with their kernels (columns of the canonical CSV and kernel), for the classifier of kernels; no times are needed',
    )
    .option(
      '--cudnn <version>',
      'version of cuDNN that chose the kernels, such as 9.19.0; with --compute-capability',
    )
    .option(
      '--compute-capability <version>',
      'compute capability of the GPU for which the kernels were chosen, such as 9.0',
    )
    .option(
      '--sm-count <number>',
      'processors of the device (1: serial); estimated from the samples if absent',
      wholeNumber(1),
    )
    .option('--json', 'print the model instead of tables')
    .addHelpText(
      'after',
      '\nIf the samples have a column kernel, or --kernels labels shapes, forms that use the kernel compete too.\n' +
        'Energy is also fitted if the column energy_mj has values for 10 shapes or more.\n' +
        '\nThe same data and options give the same bytes: the model contains the time of its data file.\n' +
        '\nExample:\n  alphaflops fit --data data/sample-h100/h100-networklike-1000.csv --out model.json',
    )
    .action(fit);
}

async function fit(options: FitOptions): Promise<void> {
  const { data, out, form, loss, coverage, smCount } = options;
  const rows = await firstRows(data, options.limit ?? Infinity);
  const kernelLabels = options.kernels === undefined ? [] : await labelsIn(options.kernels);
  const source = options.source === undefined ? undefined : await sourceModel(options.source, options.seed);
  const origin = { digest: fitInputDigest(rows), codeVersion: VERSION, createdAt: await timeOf(data) };
  const fitted = {
    ...{ form, seed: options.seed, loss, coverage },
    ...(source && { source }),
    kernelLabels,
    ...kernelKeyOf(options),
    ...(smCount !== undefined && { device: { smCount } }),
    origin,
  };
  const model = await withProgress((onProgress) => fitModel(rows, { ...fitted, onProgress }));
  const document = json(model);
  await writeText(out, `${document}\n`);
  const summary = options.json === true ? document : summaryOf(model, options);
  // A model on standard output is for a program, so text for people goes to standard error.
  if (out !== STANDARD) console.log(summary);
  else if (options.json !== true) console.error(summary);
}

/** The given model, or a model fitted to samples. A JSON document begins with a brace, a CSV file with its header. */
async function sourceModel(path: string, ofSeed: number): Promise<Model> {
  const text = await readText(path);
  if (text.trimStart().startsWith('{')) return modelFrom(text, path);
  const rows = (await readAllSamples(text, inputName(path), noteIgnored(path))).map(fitSample);
  const origin = { digest: fitInputDigest(rows), codeVersion: VERSION, createdAt: await timeOf(path) };
  return fitModel(rows, { seed: ofSeed, origin });
}

async function firstRows(path: string, limit: number): Promise<FitSample[]> {
  const rows: FitSample[] = [];
  for await (const row of fitSamples(path)) {
    rows.push(row);
    if (rows.length >= limit) break;
  }
  return rows;
}

/** The key is part of the model, so that "predict --cudnn" can check that it uses the same cuDNN. */
function kernelKeyOf({ cudnn, computeCapability }: FitOptions): Pick<ModelFitOptions, 'kernelMap'> {
  if (cudnn === undefined && computeCapability === undefined) return {};
  const key = { cudnnVersion: cudnn, computeCapability, heuristicMode: 'instant', mathMode: 'tf32' };
  const parsed = KernelMapKeySchema.safeParse(key);
  if (parsed.success) return { kernelMap: { key: parsed.data, digest: null } };
  throw new CliError(
    'usage',
    `Give both --cudnn and --compute-capability, such as 9.19.0 and 9.0.\n${z.prettifyError(parsed.error)}`,
  );
}

/** Samples of a table, or the rows of a data set in a directory. */
async function* fitSamples(path: string): AsyncGenerator<FitSample> {
  const found = path === STANDARD ? null : await stat(path).catch(() => null);
  if (found?.isDirectory() === true) {
    for await (const { row } of (await rowFileIn(path)).rows()) {
      yield fitRowOf(row);
    }
    return;
  }
  for await (const row of readSamples(readInput(path), inputName(path), noteIgnored(path)))
    yield fitSample(row);
}

/** Shapes with a kernel. Rows without a kernel are ignored. */
async function labelsIn(path: string): Promise<KernelLabel[]> {
  const labels = await readKernelLabels(readInput(path), inputName(path));
  if (labels.length > 0) return labels;
  throw new CliError(
    'usage',
    `${inputName(path)} has no kernels: expected a column kernel, as "alphaflops kernels label" writes it.`,
  );
}

/** The time of the last change of the data, as in reproducible builds. So the same file always gives the same bytes. */
async function timeOf(path: string): Promise<string> {
  const time = path === STANDARD ? new Date() : (await stat(path)).mtime;
  return time.toISOString();
}

function summaryOf(model: Model, { data, out }: FitOptions): string {
  const { samples, shapes } = model.data;
  // One formula per kernel is too long for a screen. The model card has all of them.
  const published = model.forms.filter(({ form, groups }) => groups.length > 0 && form !== 'kernel-waves');
  return [
    `Fitted ${samples} samples of ${shapes} shapes from ${inputName(data)}; chosen form: ${model.chosenForm}.`,
    '\nError on held-out shapes\n',
    indented(heldOutTable(model)),
    '\nParameters\n',
    indented(parametersTable(published)),
    ...kernelSummary(model),
    ...energySummary(model),
    ...(model.notes.length === 0 ? [] : ['\nLimits\n', indented(notesOf(model))]),
    ...(out === STANDARD ? [] : [`\nThe model is in ${out}.`]),
  ].join('\n');
}
