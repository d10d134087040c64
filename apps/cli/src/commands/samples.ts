import { OUTCOMES, type Outcome } from '@alphaflops/contracts';
import { type Command, Option } from 'commander';
import { connect, type ConnectionOptions, withConnection } from '../connection.js';
import { writeOutput } from '../files.js';
import { answered } from '../pages.js';

interface ExportOptions extends ConnectionOptions {
  out: string;
  format: 'csv' | 'jsonl';
  campaign?: string;
  deviceClass?: string;
  device?: string;
  worker?: string;
  outcome?: Outcome;
  from?: string;
  to?: string;
}

export function samplesCommand(command: Command): void {
  withConnection(command.command('export').description('write samples to a file'))
    .requiredOption('--out <file>', 'file for the samples; - for standard output')
    .addOption(
      new Option(
        '--format <name>',
        'csv: good samples in the canonical columns; jsonl: all samples with all fields',
      )
        .choices(['csv', 'jsonl'])
        .default('csv'),
    )
    .option('--campaign <id>', 'samples of this campaign')
    .option('--device-class <id>', 'samples of this device class')
    .option('--device <id>', 'samples of this device')
    .option('--worker <id>', 'samples of this worker')
    .addOption(new Option('--outcome <name>', 'samples with this outcome').choices([...OUTCOMES]))
    .option('--from <time>', 'samples recorded at this time or later, such as 2026-11-23T02:00:00+02:00')
    .option('--to <time>', 'recorded before')
    .addHelpText('after', '\nExample:\n  alphaflops samples export --device-class ID --out train.csv')
    .action(exportSamples);
}

async function exportSamples(options: ExportOptions): Promise<void> {
  const { api } = connect(options);
  const { campaign, deviceClass, device, worker, outcome, from, to } = options;
  const { data } = await api.GET('/v1/samples/stream', {
    params: {
      query: {
        format: options.format,
        ...(campaign !== undefined && { campaignId: campaign }),
        ...(deviceClass !== undefined && { deviceClassId: deviceClass }),
        ...(device !== undefined && { deviceId: device }),
        ...(worker !== undefined && { workerId: worker }),
        ...(outcome !== undefined && { outcome }),
        ...(from !== undefined && { recordedFrom: from }),
        ...(to !== undefined && { recordedTo: to }),
      },
    },
    parseAs: 'stream',
  });
  await writeOutput(options.out, answered<unknown>(data) as AsyncIterable<Uint8Array>);
}
