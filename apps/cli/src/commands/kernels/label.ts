import { type Cell, readSpecs, type SpecRow, writeCsv } from '@alphaflops/dataset';
import { ExecutorError } from '@alphaflops/executor';
import { LABEL_PADDINGS, type KernelLabel } from '@alphaflops/executor-cudnn/label-messages';
import { LabelProcess } from '@alphaflops/executor-cudnn/label-kernels';
import { type Command, Option } from 'commander';
import { connect, type ConnectionOptions, withConnection } from '../../connection.js';
import { CliError } from '../../error.js';
import { inputName, readWithProgress, writeOutput } from '../../files.js';
import { withProgress } from '../../progress.js';
import { librariesOf, readDeviceProperties } from './local-cudnn.js';

interface LabelCommandOptions extends ConnectionOptions {
  data: string;
  out: string;
  deviceProperties?: string;
  deviceClass?: string;
  padding: (typeof LABEL_PADDINGS)[number];
  tf32: boolean;
  libraryPath?: string;
}

/** Columns that `kernels label` adds to those of its input. Scripts of users depend on these names. */
const LABEL_COLUMNS: readonly string[] = ['kernel', 'workspace_bytes'];

export function labelCommand(command: Command): void {
  command
    .requiredOption('--data <file>', 'convolutions, as CSV; - for standard input')
    .requiredOption(
      '--out <file>',
      `the input with the columns ${LABEL_COLUMNS.join(' and ')}; - for standard output`,
    )
    .option('--device-properties <file>', 'JSON that describes the device to cuDNN, from "device show"')
    .option(
      '--device-class <id>',
      'use the properties of a device of this class from the coordinator instead',
    )
    .addOption(
      new Option(
        '--padding <how>',
        'how uneven same padding is computed: by cudnn itself, or by pytorch before it',
      )
        .choices(LABEL_PADDINGS)
        .default('cudnn'),
    )
    .option('--no-tf32', 'compute f32 without TF32, as executor cudnn-fp32 does')
    .option(
      '--library-path <folders>',
      'folders that are searched for cuDNN first (default: LD_LIBRARY_PATH)',
    );
  withConnection(command)
    .addHelpText(
      'after',
      '\nThis needs cuDNN 9.8 or newer, but no GPU: python3 -m pip install nvidia-cudnn-cu13 nvidia-cublas nvidia-cuda-nvrtc\n' +
        '\nExamples:\n' +
        '  alphaflops kernels label --data specs.csv --device-class ID --out labels.csv\n' +
        '  alphaflops kernels label --data specs.csv --device-properties h100.json --out labels.csv',
    )
    .action(label);
}

async function label(options: LabelCommandOptions): Promise<void> {
  const deviceProperties = await devicePropertiesOf(options);
  const libraryPath = librariesOf(options);
  const { padding, tf32 } = options;
  const cudnnProcess = await LabelProcess.start({ deviceProperties, padding, tf32, libraryPath }).catch(
    inWords,
  );
  const counts = { labelled: 0, without: 0, reason: '' };
  try {
    await withProgress((show) =>
      writeOutput(
        options.out,
        labelled(
          readSpecs(readWithProgress(options.data, show), inputName(options.data)),
          cudnnProcess,
          counts,
        ),
      ),
    );
  } catch (error) {
    inWords(error);
  } finally {
    cudnnProcess.close();
  }
  const { cudnn, computeCapability } = cudnnProcess;
  console.error(
    `${counts.labelled} convolutions labelled by cuDNN ${cudnn} for compute capability ${computeCapability}.` +
      (counts.without === 0
        ? ''
        : ` ${counts.without} have no kernel. Reason of the first: ${counts.reason}`),
  );
}

async function devicePropertiesOf(options: LabelCommandOptions): Promise<string> {
  const { deviceProperties, deviceClass } = options;
  if ((deviceProperties === undefined) === (deviceClass === undefined)) {
    throw new CliError('usage', 'Name either --device-properties FILE or --device-class ID.');
  }
  if (deviceProperties !== undefined) {
    return await readDeviceProperties(deviceProperties);
  }
  const { data } = await connect(options).api.GET('/v1/devices');
  const devices = (data?.items ?? []).filter((device) => device.deviceClassId === deviceClass);
  const known = devices.find((device) => device.cudnnDeviceProperties !== undefined);
  if (known?.cudnnDeviceProperties !== undefined) return known.cudnnDeviceProperties;
  throw new CliError(
    'failed',
    devices.length === 0
      ? `There is no device of class ${deviceClass ?? ''}.`
      : `No device of class ${deviceClass ?? ''} has reported its cuDNN device properties: its worker needs cuDNN 9.8 or newer.`,
  );
}

/** The columns of the file, followed by the new columns. If the file has a new column already, it is replaced. */
async function* labelled(
  source: AsyncGenerator<SpecRow>,
  cudnnProcess: LabelProcess,
  counts: { labelled: number; without: number; reason: string },
): AsyncGenerator<string> {
  const first = await source.next();
  // An empty file gives a separate error.
  if (first.done === true) return;
  const { columns } = first.value;
  const kept = [...columns.keys()].filter((at) => !LABEL_COLUMNS.includes(columns[at] ?? ''));
  const waiting: SpecRow[] = [];
  const specs = async function* (): AsyncGenerator<SpecRow['spec']> {
    for (let next: IteratorResult<SpecRow> = first; next.done !== true; next = await source.next()) {
      waiting.push(next.value);
      yield next.value.spec;
    }
  };
  const rows = async function* (): AsyncGenerator<Cell[]> {
    for await (const found of cudnnProcess.label(specs())) {
      const row = waiting.shift();
      yield [...kept.map((at) => row?.cells[at]), ...cellsOf(found, counts)];
    }
  };
  yield* writeCsv([...kept.map((at) => columns[at] ?? ''), ...LABEL_COLUMNS], rows());
}

function cellsOf(found: KernelLabel, counts: { labelled: number; without: number; reason: string }): Cell[] {
  if (found.kernel !== null) {
    counts.labelled += 1;
    return [found.kernel, found.workspaceBytes];
  }
  if (counts.without === 0) counts.reason = found.reason;
  counts.without += 1;
  return [null, null];
}

function inWords(error: unknown): never {
  if (error instanceof ExecutorError) throw new CliError('failed', `cuDNN cannot be used: ${error.message}`);
  throw error;
}
