import { readAllSamples } from '@alphaflops/dataset';
import { simulate, SIMULATED_DESIGNS, type SimulatedDesign, splitForSimulation } from '@alphaflops/planning';
import { type Command, Option } from 'commander';
import { inputName, noteIgnored, readInput } from '../files.js';
import { seed, wholeNumber } from '../options.js';
import { withProgress } from '../progress.js';
import { json, percent, table } from '../tables.js';

interface SimulateOptions {
  data: string;
  design: SimulatedDesign;
  budget: number;
  seed: number;
  rounds: number;
  sms?: number;
  json?: true;
}

export function simulateCommand(command: Command): void {
  command
    .requiredOption('--data <file>', 'samples to measure from, as CSV; - for standard input')
    .addOption(
      new Option('--design <name>', 'how shapes are chosen').choices(SIMULATED_DESIGNS).makeOptionMandatory(),
    )
    .requiredOption('--budget <shapes>', 'how many are measured', wholeNumber(1))
    .option('--seed <number>', 'of the choice', seed, 1)
    .option('--rounds <number>', 'a fit and its error after each', wholeNumber(1, 100), 8)
    .option('--sms <number>', 'processors of the device (default: what the samples say)', wholeNumber(1))
    .option('--json', 'print JSON, shares from 0 to 1')
    .addHelpText(
      'after',
      '\nOne shape in five is held out, the same for every design and seed, and judges all fits.\n' +
        '\nExample:\n  alphaflops simulate --data data/sample-h100/h100-networklike-1000.csv --design adaptive --budget 400',
    )
    .action(run);
}

async function run(options: SimulateOptions): Promise<void> {
  const { data, design, budget, rounds, sms } = options;
  const { pool, test } = splitForSimulation(
    await readAllSamples(readInput(data), inputName(data), noteIgnored(data)),
  );
  const device: Record<string, number> = sms === undefined ? {} : { smCount: sms };
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
  console.log(`${design}, judged by ${test.length} samples of shapes it could not choose\n`);
  const rows = curve.map(({ shapes, ...errors }) => [
    String(shapes),
    ...Object.values(errors).map((share) => percent(share)),
  ]);
  console.log(table(['measured', 'median APE', 'MAPE', 'within 10 %', 'within 20 %'], rows, 0));
}
