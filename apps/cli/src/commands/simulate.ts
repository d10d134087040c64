import { percent } from '@alphaflops/contracts/text';
import { readAllSamples } from '@alphaflops/dataset';
import {
  simulate,
  SIMULATED_DESIGNS,
  type SimulatedDesign,
  splitForSimulation,
  TARGET_DESIGNS,
  type TargetDesign,
} from '@alphaflops/planning';
import { type Command, Option } from 'commander';
import { CliError } from '../error.js';
import { inputName, noteIgnored, readInput } from '../files.js';
import { seed, targetShare, wholeNumber } from '../options.js';
import { withProgress } from '../progress.js';
import { json, table } from '../tables.js';
import { simulateTargets } from './simulate-target.js';

export interface SimulateOptions {
  data: string;
  design: TargetDesign;
  budget: number;
  targetError?: number;
  form: string;
  seed: number;
  seeds: number;
  rounds: number;
  sms?: number;
  json?: true;
}

export function simulateCommand(command: Command): void {
  command
    .requiredOption('--data <file>', 'samples to measure from, as CSV; - for standard input')
    .addOption(
      new Option(
        '--design <name>',
        'design that chooses the shapes; csv: all shapes, only with a target error',
      )
        .choices(TARGET_DESIGNS)
        .makeOptionMandatory(),
    )
    .requiredOption('--budget <shapes>', 'number of shapes to measure', wholeNumber(1))
    .option(
      '--target-error <share>',
      'replay a campaign that stops at this held-out median error, such as 12%; above 0 and below 1',
      targetShare,
    )
    .option('--form <name>', 'form of the fits with a target error: auto or a form', 'auto')
    .option('--seed <number>', 'seed of the choice', seed, 1)
    .option(
      '--seeds <number>',
      'with a target error: number of seeds to repeat the simulation with',
      wholeNumber(1, 100),
      1,
    )
    .option(
      '--rounds <number>',
      'without a target error: number of rounds; each round ends with a fit and its error',
      wholeNumber(1, 100),
      8,
    )
    .option(
      '--sms <number>',
      'processors of the device (default: estimated from the samples)',
      wholeNumber(1),
    )
    .option('--json', 'print JSON, shares from 0 to 1')
    .addHelpText(
      'after',
      '\nOne shape in five is held out, the same for every design and seed, and judges all fits.\n' +
        '\nExamples:\n  alphaflops simulate --data data/sample-h100/h100-networklike-1000.csv --design adaptive --budget 400\n' +
        '  alphaflops simulate --data data/sample-h100/h100-networklike-1000.csv --design networklike --budget 700 --target-error 12%',
    )
    .action(run);
}

async function run(options: SimulateOptions): Promise<void> {
  const { data, design, budget, rounds, sms, targetError } = options;
  const parts = splitForSimulation(await readAllSamples(readInput(data), inputName(data), noteIgnored(data)));
  const device: Record<string, number> = sms === undefined ? {} : { smCount: sms };
  if (targetError !== undefined) {
    await simulateTargets(parts, { ...options, targetError, device });
    return;
  }
  if (!isSimulated(design)) {
    throw new CliError('usage', 'The design csv is simulated with --target-error only.');
  }
  const { pool, test } = parts;
  const points = await withProgress((show) =>
    simulate(pool, test, { design, budget, seed: options.seed, rounds, device, onRound: show }),
  );
  const curve = points.map(({ shapes, metrics: { medianApe, mape, within10, within20 } }) => ({
    ...{ shapes, median_ape: medianApe, mape, within_10: within10, within_20: within20 },
  }));
  if (options.json === true) {
    console.log(json({ design, seed: options.seed, test: test.length, curve }));
    return;
  }
  console.log(`${design}, judged by ${test.length} samples of held-out shapes\n`);
  const rows = curve.map(({ shapes, ...errors }) => [
    String(shapes),
    ...Object.values(errors).map((share) => percent(share)),
  ]);
  console.log(table(['measured', 'median APE', 'MAPE', 'within 10 %', 'within 20 %'], rows, 0));
}

function isSimulated(design: TargetDesign): design is SimulatedDesign {
  return (SIMULATED_DESIGNS as readonly string[]).includes(design);
}
