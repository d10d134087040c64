import { setTimeout } from 'node:timers/promises';
import { percent } from '@alphaflops/contracts/text';
import { ModelSchema } from '@alphaflops/contracts';
import type { Command } from 'commander';
import { connect, type ConnectionOptions, withConnection } from '../connection.js';
import { CliError } from '../error.js';
import { energySummary, heldOutTable, notesOf, parametersTable } from '../model-tables.js';
import { noiseFloorText } from '../noise-floor.js';
import { seed, wholeNumber } from '../options.js';
import { answered, itemsOf } from '../pages.js';
import { indented, json, table } from '../tables.js';
import { modelDiffCommand } from './model-diff.js';

interface JsonOptions extends ConnectionOptions {
  json?: true;
}

interface ListOptions extends JsonOptions {
  limit: number;
  deviceClass?: string;
}

interface ReasonOptions extends JsonOptions {
  reason?: string;
}

interface FitOptions extends JsonOptions {
  form: string;
  seed: number;
}

const LOOK_EVERY_MS = 500;

export function modelCommand(command: Command): void {
  withConnection(command.command('list').description('models, newest first'))
    .option('--limit <number>', 'maximum number of rows', wholeNumber(1), 50)
    .option('--device-class <id>', 'only models of this device class')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  alphaflops model list --device-class CLASS')
    .action(listModels);
  withConnection(
    command.command('show').argument('<id>').description('one model: errors, parameters, limits'),
  )
    .option('--json', 'print the document that predict and evaluate read')
    .addHelpText('after', '\nExample:\n  alphaflops model show ID --json > model.json')
    .action(show);
  modelDiffCommand(command.command('diff'));
  withConnection(
    command.command('promote').argument('<id>').description('serve a candidate or a retired model anyway'),
  )
    .option('--reason <text>', 'kept with the model')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  alphaflops model promote CLASS-v4 --reason "new driver, slower for real"',
    )
    .action((id: string, options: ReasonOptions) => change('promote', id, options));
  withConnection(
    command
      .command('retire')
      .argument('<id>')
      .description('stop serving a model, and serve the one before it'),
  )
    .option('--reason <text>', 'kept with the model')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  alphaflops model retire CLASS-v4 --reason "fitted to a throttled GPU"',
    )
    .action((id: string, options: ReasonOptions) => change('retire', id, options));
  withConnection(
    command.command('card').argument('<id>').description('one model as a readable page (Markdown)'),
  )
    .addHelpText('after', '\nExample:\n  alphaflops model card CLASS-v3 > card.md')
    .action(card);
  withConnection(
    command
      .command('fit')
      .argument('<device-class>')
      .description('fit a model to all samples of a device class and publish it'),
  )
    .option('--form <name>', 'auto or a form', 'auto')
    .option('--seed <number>', 'seed of the folds of cross-validation', seed, 1)
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  alphaflops model fit CLASS --form auto')
    .action(fit);
}

async function listModels({ limit, deviceClass: deviceClassId, ...options }: ListOptions): Promise<void> {
  const { api } = connect(options);
  const filter = deviceClassId === undefined ? {} : { deviceClassId };
  const models = await itemsOf(
    (page) => api.GET('/v1/models', { params: { query: { ...page, ...filter } } }),
    limit,
  );
  if (options.json === true) {
    console.log(json(models));
    return;
  }
  console.log(
    table(
      ['id', 'device class', 'version', 'status', 'form', 'samples', 'median APE', 'created'],
      models.map((model) => {
        const heldOut = model.forms.find(({ form }) => form === model.chosenForm)?.heldOut ?? null;
        return [
          ...[model.id ?? '', model.deviceClassId ?? '', String(model.version ?? '')],
          ...[
            ...[model.status, model.chosenForm],
            String(model.data.samples),
            heldOut === null ? '' : percent(heldOut.medianApe),
            model.createdAt,
          ],
        ];
      }),
    ),
  );
}

async function show(id: string, options: JsonOptions): Promise<void> {
  const { api } = connect(options);
  const model = ModelSchema.parse(
    answered((await api.GET('/v1/models/{id}', { params: { path: { id } } })).data),
  );
  if (options.json === true) {
    console.log(json(model));
    return;
  }
  const { samples, shapes } = model.data;
  console.log(
    [
      `Model ${id} of ${model.deviceClassId ?? ''}: ${samples} samples of ${shapes} shapes, ${model.createdAt}.`,
      `Status: ${model.status}${model.statusReason === null ? '' : ` (${model.statusReason})`}.`,
      '\nError on held-out shapes\n',
      indented(heldOutTable(model)),
      ...(model.noiseFloor === undefined ? [] : [`\nNoise floor: ${noiseFloorText(model.noiseFloor)}`]),
      '\nParameters\n',
      indented(parametersTable(model.forms.filter(({ groups }) => groups.length > 0))),
      ...energySummary(model),
      ...(model.notes.length === 0 ? [] : ['\nLimits\n', indented(notesOf(model))]),
    ].join('\n'),
  );
}

async function change(what: 'promote' | 'retire', id: string, options: ReasonOptions): Promise<void> {
  const { api } = connect(options);
  const body = options.reason === undefined ? {} : { reason: options.reason };
  const { data } = await api.POST(`/v1/models/{id}/${what}`, { params: { path: { id } }, body });
  const model = answered(data);
  console.log(options.json === true ? json(model) : `The model ${id} is ${model.status}.`);
}

async function card(id: string, options: ConnectionOptions): Promise<void> {
  const { api } = connect(options);
  const { data } = await api.GET('/v1/models/{id}/card', { params: { path: { id } }, parseAs: 'text' });
  console.log(String(answered<unknown>(data)).trimEnd());
}

async function fit(deviceClassId: string, options: FitOptions): Promise<void> {
  const { api } = connect(options);
  const started = await api.POST('/v1/device-classes/{id}/fits', {
    params: { path: { id: deviceClassId } },
    body: { form: options.form, seed: options.seed },
  });
  let fit = answered(started.data);
  while (fit.state === 'waiting' || fit.state === 'active') {
    await setTimeout(LOOK_EVERY_MS);
    fit = answered((await api.GET('/v1/fits/{id}', { params: { path: { id: fit.id } } })).data);
  }
  if (fit.modelId === null) {
    throw new CliError('failed', `No model could be fitted: ${fit.reason ?? 'the reason is unknown'}.`);
  }
  const message =
    fit.reason === null
      ? `Published ${fit.modelId}.`
      : `${fit.modelId} is a candidate and not served, ${fit.reason}. "alphaflops model promote ${fit.modelId}" serves it anyway.`;
  console.log(options.json === true ? json(fit) : message);
}
