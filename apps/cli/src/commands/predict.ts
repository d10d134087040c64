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
import { localCudnn, withKernels } from './kernels/local-cudnn.js';
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

/** Columns that `predict` adds to those of its input. Scripts of users depend on these names. */
export const PREDICTED_COLUMNS = [
  'predicted_ms',
  'lower_ms',
  'upper_ms',
  'alpha',
  'alpha_flops',
  'in_domain',
] as const;

/** Additional columns of a model with kernels. */
const KERNEL_COLUMNS = ['assumed_kernel', 'kernel_probability'] as const;

/** Additional columns of a model with energy. */
const ENERGY_COLUMNS = ['energy_mj', 'lower_energy_mj', 'upper_energy_mj', 'energy_in_domain'] as const;

export function predictCommand(command: Command): void {
  command
    .option('--model <file>', 'a model file from fit')
    .option(
      '--data <file>',
      'convolutions, as CSV; a column kernel names the kernels that run; - for standard input',
    )
    .option(
      '--out <file>',
      `the input with the columns ${PREDICTED_COLUMNS.join(', ')}; - for standard output`,
    )
    .option(
      '--device-class <id>',
      'request the prediction from the coordinator instead; with --spec or --network',
    )
    .option(
      '--spec <spec>',
      'one convolution: b1-h56-w56-i64-o128-k3x3-s1-g1-f32, or height=56,width=56,…',
      spec,
    )
    .option(
      '--network <file>',
      'a network: ONNX, Keras JSON or .keras, the model.json of TensorFlow.js, or a file from tools/export_pytorch.py; weights are not needed',
    )
    .option(
      '--batch <images>',
      'with --network: batch size, if the file leaves it open (default: 1)',
      wholeNumber(1),
    )
    .option(
      '--input <[name=]sizes>',
      'with --network: all sizes of its first input, or of the named one, for example 1x3x224x224 or mask=1x1x224x224; repeatable',
      inputSizes,
    )
    .option('--strict', 'with --network: exit code 1 if the total is not complete')
    .option(
      '--grid-intensity <gCO2e/kWh>',
      'with --network: emissions of a kWh at the location of the device; adds CO2e per inference and per million inferences',
      positiveNumber,
    )
    .option('--kernel <name>', 'with --spec: the kernel that runs, for example eng46_k2=4_k5=2_k14=3')
    .option(
      '--cudnn <file>',
      'with --model: if no kernel is given, use the choice of cuDNN on this machine for the device with these properties (JSON)',
    )
    .option(
      '--library-path <folders>',
      'folders that are searched for cuDNN first (default: LD_LIBRARY_PATH)',
    )
    .option(
      '--training',
      'with --network: also the backward passes of each layer, for a step of --batch samples',
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
        ? await predictionFromApi(deviceClass ?? '', layer, options)
        : await predicted(await modelIn(model), layer, options);
    console.log(options.json === true ? json({ spec: layer, ...prediction }) : described(layer, prediction));
    return;
  }
  if (model === undefined) {
    throw new CliError(
      'usage',
      '--data needs --model FILE. "alphaflops model show ID --json" prints the file of a published model.',
    );
  }
  if (out === undefined)
    throw new CliError('usage', '--data needs --out FILE (or --out - for standard output).');
  const loaded = await modelIn(model);
  await withProgress((show) => writeOutput(out, predictions(data ?? '', loaded, options, show)));
}

/** The given kernel, otherwise the choice of cuDNN, otherwise that of the classifier. */
async function predicted(model: Model, layer: ConvSpec, options: PredictOptions): Promise<Prediction> {
  const predictor = compileModel(model);
  if (options.kernel !== undefined) return predictor(layer, options.kernel);
  const cudnnProcess = await localCudnn(model, options);
  try {
    const found = cudnnProcess && (await cudnnProcess.label([layer]).next());
    return predictor(layer, found === null || found.done === true ? null : found.value.kernel, 'cudnn');
  } finally {
    cudnnProcess?.close();
  }
}

/** The columns of the file, followed by the new columns. If the file has a new column already, it is replaced. */
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
  // An empty file gives a separate error.
  if (first.done === true) return;
  const { columns } = first.value;
  const kept = [...columns.keys()].filter((at) => !(ours as string[]).includes(columns[at] ?? ''));
  const all = async function* (): AsyncGenerator<SpecRow> {
    yield first.value;
    yield* source;
  };
  const cudnnProcess = await localCudnn(model, options);
  const rows = async function* (): AsyncGenerator<Cell[]> {
    const cells = cellsOf(kept, predictor, model);
    for await (const [row, kernel] of withKernels(all(), cudnnProcess)) yield cells(row, kernel);
  };
  try {
    yield* writeCsv([...kept.map((at) => columns[at] ?? ''), ...ours], rows());
  } finally {
    cudnnProcess?.close();
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

async function predictionFromApi(
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
