import { percent } from '@alphaflops/contracts/text';
import type { Model, Prediction } from '@alphaflops/contracts';
import { specKey, type ConvSpec } from '@alphaflops/conv';
import { type Cell, readSpecs, type SpecRow, writeCsv } from '@alphaflops/dataset';
import { compileModel, type Predictor } from '@alphaflops/models';
import type { Command } from 'commander';
import { connect, type ConnectionOptions, withConnection } from '../connection.js';
import { CliError } from '../error.js';
import { inputName, noteIgnored, readWithProgress, writeOutput } from '../files.js';
import { modelIn } from '../model-source.js';
import type { InputSizes } from '../network-file.js';
import { inputSizes, positiveNumber, wholeNumber } from '../options.js';
import { type Progress, withProgress } from '../progress.js';
import { spec } from '../spec-argument.js';
import { json, ms, significant, table } from '../tables.js';
import { askedCudnn, withKernels } from './kernels/asked-cudnn.js';
import { predictNetwork } from './predict-network.js';

interface PredictOptions extends ConnectionOptions {
  model?: string;
  deviceClass?: string;
  data?: string;
  out?: string;
  spec?: ConvSpec;
  kernel?: string;
  cudnn?: string;
  libraryPath?: string;
  network?: string;
  batch?: number;
  input?: InputSizes[];
  strict?: true;
  gridIntensity?: number;
  training?: true;
  samples?: number;
  json?: true;
}

/** What `predict` adds to the columns of its input. Names that others script against. */
export const PREDICTED_COLUMNS = [
  'predicted_ms',
  'lower_ms',
  'upper_ms',
  'alpha',
  'alpha_flops',
  'in_domain',
] as const;

/** … and further, by a model that knows kernels. */
const KERNEL_COLUMNS = ['assumed_kernel', 'kernel_probability'] as const;

/** … and by a model that has energy. */
const ENERGY_COLUMNS = ['energy_mj', 'lower_energy_mj', 'upper_energy_mj', 'energy_in_domain'] as const;

export function predictCommand(command: Command): void {
  command
    .option('--model <file>', 'a model as fit writes it')
    .option(
      '--data <file>',
      'convolutions, as CSV; a column kernel names the kernels that run; - for standard input',
    )
    .option('--out <file>', `the same with ${PREDICTED_COLUMNS.join(', ')}; - for standard output`)
    .option('--device-class <id>', 'ask the coordinator instead; with --spec or --network')
    .option(
      '--spec <spec>',
      'one convolution: b1-h56-w56-i64-o128-k3x3-s1-g1-f32, or height=56,width=56,…',
      spec,
    )
    .option(
      '--network <file>',
      'a network: ONNX, Keras JSON or .keras, the model.json of TensorFlow.js, or what tools/export_pytorch.py writes; weights are not needed',
    )
    .option(
      '--batch <images>',
      'with --network: images at a time, where the file leaves it open (default: 1)',
      wholeNumber(1),
    )
    .option(
      '--input <[name=]sizes>',
      'with --network: all sizes of its first input, or of the named one, for example 1x3x224x224 or mask=1x1x224x224; repeatable',
      inputSizes,
    )
    .option('--strict', 'with --network: exit code 1 when the total is not complete')
    .option(
      '--grid-intensity <gCO2e/kWh>',
      'with --network: what a kWh emits where the device runs; adds CO2e per inference and per million',
      positiveNumber,
    )
    .option('--kernel <name>', 'with --spec: the kernel that runs, for example eng46_k2=4_k5=2_k14=3')
    .option(
      '--cudnn <file>',
      'with --model: where no kernel is given, ask cuDNN on this machine for that of the device with these properties (JSON)',
    )
    .option('--library-path <folders>', 'where cuDNN is looked for first (default: LD_LIBRARY_PATH)')
    .option(
      '--training',
      'with --network: the backward passes of each layer too, for a step of --batch samples',
    )
    .option('--samples <number>', 'with --training: samples of an epoch', wholeNumber(1))
    .option('--json', 'with --spec and --network: print JSON');
  withConnection(command)
    .addHelpText(
      'after',
      '\nExamples:\n' +
        '  alphaflops predict --model model.json --data test.csv --out pred.csv\n' +
        '  alphaflops predict --device-class ID --spec h56-w56-i64-o128-k3x3\n' +
        '  alphaflops predict --model model.json --network resnet50.onnx\n' +
        '  alphaflops predict --model model.json --network resnet50.onnx --grid-intensity 350',
    )
    .action(predict);
}

async function predict(options: PredictOptions): Promise<void> {
  const { model, deviceClass, data, out, spec: layer, network } = options;
  if ((model === undefined) === (deviceClass === undefined)) {
    throw new CliError('usage', 'Name either --model FILE or --device-class ID.');
  }
  if ([data, layer, network].filter((given) => given !== undefined).length !== 1) {
    throw new CliError('usage', 'Give one of --data FILE, --spec CONVOLUTION and --network FILE.');
  }
  if (network === undefined && options.gridIntensity !== undefined) {
    throw new CliError('usage', '--grid-intensity needs --network FILE.');
  }
  if (network === undefined && options.training === true) {
    throw new CliError('usage', '--training needs --network FILE.');
  }
  if (options.training !== true && options.samples !== undefined) {
    throw new CliError('usage', '--samples needs --training.');
  }
  if (model === undefined && options.cudnn !== undefined) {
    throw new CliError('usage', '--cudnn needs --model FILE.');
  }
  if (network !== undefined) {
    await predictNetwork(network, options);
    return;
  }
  if (layer !== undefined) {
    const prediction =
      model === undefined
        ? await asked(deviceClass ?? '', layer, options)
        : await predicted(await modelIn(model), layer, options);
    console.log(options.json === true ? json({ spec: layer, ...prediction }) : described(layer, prediction));
    return;
  }
  if (model === undefined) {
    throw new CliError(
      'usage',
      'A file is predicted with --model FILE; "alphaflops model show ID --json" gives that of a published model.',
    );
  }
  if (out === undefined)
    throw new CliError('usage', '--data needs --out FILE (or --out - for standard output).');
  const loaded = await modelIn(model);
  await withProgress((show) => writeOutput(out, predictions(data ?? '', loaded, options, show)));
}

/** The kernel that is given, else the one that cuDNN names, else the classifier's. */
async function predicted(model: Model, layer: ConvSpec, options: PredictOptions): Promise<Prediction> {
  const predictor = compileModel(model);
  if (options.kernel !== undefined) return predictor(layer, options.kernel);
  const asked = await askedCudnn(model, options);
  try {
    const found = asked && (await asked.label([layer]).next());
    return predictor(layer, found === null || found.done === true ? null : found.value.kernel, 'cudnn');
  } finally {
    asked?.close();
  }
}

/** The columns of the file and ours after them; ones of ours that it has already are replaced. */
async function* predictions(
  path: string,
  model: Model,
  options: PredictOptions,
  show: Progress['update'],
): AsyncGenerator<string> {
  const predictor = compileModel(model);
  const ours = [
    ...PREDICTED_COLUMNS,
    ...(model.kernels ? KERNEL_COLUMNS : []),
    ...(model.energy ? ENERGY_COLUMNS : []),
  ];
  const source = readSpecs(readWithProgress(path, show), inputName(path), noteIgnored(path));
  const first = await source.next();
  // An empty file is an error of its own.
  if (first.done === true) return;
  const { columns } = first.value;
  const kept = [...columns.keys()].filter((at) => !(ours as string[]).includes(columns[at] ?? ''));
  const all = async function* (): AsyncGenerator<SpecRow> {
    yield first.value;
    yield* source;
  };
  const asked = await askedCudnn(model, options);
  const rows = async function* (): AsyncGenerator<Cell[]> {
    const cells = cellsOf(kept, predictor, model);
    for await (const [row, kernel] of withKernels(all(), asked)) yield cells(row, kernel);
  };
  try {
    yield* writeCsv([...kept.map((at) => columns[at] ?? ''), ...ours], rows());
  } finally {
    asked?.close();
  }
}

function cellsOf(
  kept: readonly number[],
  predictor: Predictor,
  { kernels, energy }: Model,
): (row: SpecRow, byCudnn: string | null) => Cell[] {
  return (row, byCudnn) => {
    const given = row.extras.kernel;
    const { predictedMs, lowerMs, upperMs, alpha, alphaFlops, inDomain, ...more } =
      given === undefined ? predictor(row.spec, byCudnn, 'cudnn') : predictor(row.spec, given);
    const { kernel, energyMillijoules, lowerEnergyMillijoules, upperEnergyMillijoules, energyInDomain } =
      more;
    return [
      ...kept.map((at) => row.cells[at]),
      ...[predictedMs, lowerMs, upperMs, alpha, alphaFlops, inDomain],
      ...(kernels ? [kernel?.name ?? null, kernel?.probability ?? null] : []),
      ...(energy ? [energyMillijoules, lowerEnergyMillijoules, upperEnergyMillijoules, energyInDomain] : []),
    ];
  };
}

async function asked(
  deviceClassId: string,
  layer: ConvSpec,
  options: Pick<PredictOptions, keyof ConnectionOptions | 'kernel'>,
): Promise<Prediction> {
  const { api } = connect(options);
  const { data } = await api.POST('/v1/predictions', {
    body: {
      model: { kind: 'device-class', deviceClassId },
      layers: [layer],
      ...(options.kernel && { kernels: [options.kernel] }),
    },
  });
  const prediction = data?.layers[0];
  if (prediction === undefined)
    throw new CliError('failed', 'The coordinator answered without a prediction.');
  return prediction;
}

function described(layer: ConvSpec, prediction: Prediction): string {
  const { predictedMs, lowerMs, upperMs, alpha, alphaFlops, macs, inDomain } = prediction;
  return table(
    [specKey(layer), ''],
    [
      ['time', ms(predictedMs)],
      ['interval', lowerMs === null ? 'none' : `${ms(lowerMs)} … ${ms(upperMs)}`],
      ['multiply-adds', significant(macs)],
      ['α', significant(alpha)],
      ['α-FLOPs', significant(alphaFlops)],
      ['in the calibrated domain', inDomain ? 'yes' : 'no'],
      ...kernelRows(prediction),
      ...energyRows(prediction),
    ],
  );
}

function kernelRows({ kernel }: Prediction): string[][] {
  if (kernel === null) return [];
  const { name, probability, source } = kernel;
  const known = { given: 'given', cudnn: 'by cuDNN', classifier: `assumed, ${percent(probability)}` }[source];
  return [['kernel', `${name} (${known})`]];
}

function energyRows({
  energyMillijoules,
  lowerEnergyMillijoules,
  upperEnergyMillijoules,
  energyInDomain,
}: Prediction): string[][] {
  if (energyMillijoules === null) return [];
  const mj = (value: number | null) => (value === null ? 'unknown' : `${significant(value)} mJ`);
  return [
    ['energy', mj(energyMillijoules)],
    [
      'interval',
      lowerEnergyMillijoules === null
        ? 'none'
        : `${mj(lowerEnergyMillijoules)} … ${mj(upperEnergyMillijoules)}`,
    ],
    ['in its domain', energyInDomain === true ? 'yes' : 'no'],
  ];
}
