import { type Cell, readSpecs, type SpecRow, writeCsv } from '@alphaflops/dataset';
import { ExecutorError } from '@alphaflops/executor';
import { LABEL_PADDINGS, type KernelLabel } from '@alphaflops/executor-cudnn/label-messages';
import { LabelProcess } from '@alphaflops/executor-cudnn/label-kernels';
import { type Command, Option } from 'commander';
import { connect, type ConnectionOptions, withConnection } from '../../connection.js';
import { CliError } from '../../error.js';
import { inputName, readWithProgress, writeOutput } from '../../files.js';
import { withProgress } from '../../progress.js';
import { librariesOf, readDeviceProperties } from './asked-cudnn.js';

interface LabelCommandOptions extends ConnectionOptions {
  data: string;
  out: string;
  deviceProperties?: string;
  deviceClass?: string;
  padding: (typeof LABEL_PADDINGS)[number];
  tf32: boolean;
  libraryPath?: string;
}

/** What `kernels label` adds to the columns of its input. Names that others script against. */
const LABEL_COLUMNS: readonly string[] = ['kernel', 'workspace_bytes'];

export function labelCommand(command: Command): void {
  command
    .requiredOption('--data <file>', 'convolutions, as CSV; - for standard input')
    .requiredOption('--out <file>', `the same with ${LABEL_COLUMNS.join(' and ')}; - for standard output`)
    .option('--device-properties <file>', 'JSON by which cuDNN knows the device, as "device show" has it')
    .option('--device-class <id>', 'ask the coordinator for those of a device of this class instead')
    .addOption(
      new Option(
        '--padding <how>',
        'who pads where same padding is uneven: cudnn itself, or pytorch before it',
      )
        .choices(LABEL_PADDINGS)
        .default('cudnn'),
    )
    .option('--no-tf32', 'f32 is computed without TF32, as by executor cudnn-fp32')
    .option('--library-path <folders>', 'where cuDNN is looked for first (default: LD_LIBRARY_PATH)');
  withConnection(command)
    .addHelpText(
      'after',
      '\nNeeds cuDNN 9.8 or newer and no GPU: python3 -m pip install nvidia-cudnn-cu13 nvidia-cublas nvidia-cuda-nvrtc\n' +
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
  const asked = await LabelProcess.start({ deviceProperties, padding, tf32, libraryPath }).catch(inWords);
  const counts = { labelled: 0, without: 0, reason: '' };
  try {
    await withProgress((show) =>
      writeOutput(
        options.out,
        labelled(readSpecs(readWithProgress(options.data, show), inputName(options.data)), asked, counts),
      ),
    );
  } catch (error) {
    inWords(error);
  } finally {
    asked.close();
  }
  const { cudnn, computeCapability } = asked;
  console.error(
    `${counts.labelled} convolutions labelled by cuDNN ${cudnn} for compute capability ${computeCapability}.` +
      (counts.without === 0 ? '' : ` ${counts.without} have no kernel, the first because: ${counts.reason}`),
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

/** The columns of the file and ours after them; ones of ours that it has already are replaced. */
async function* labelled(
  source: AsyncGenerator<SpecRow>,
  asked: LabelProcess,
  counts: { labelled: number; without: number; reason: string },
): AsyncGenerator<string> {
  const first = await source.next();
  // An empty file is an error of its own.
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
    for await (const found of asked.label(specs())) {
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
  if (error instanceof ExecutorError) throw new CliError('failed', `cuDNN cannot be asked: ${error.message}`);
  throw error;
}
