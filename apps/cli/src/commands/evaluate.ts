import type { Metrics } from '@alphaflops/contracts';
import { readAllSamples } from '@alphaflops/dataset';
import { evaluate, evaluateEnergy } from '@alphaflops/models';
import type { Command } from 'commander';
import { fitSample } from '../fit-sample.js';
import { inputName, noteIgnored, readInput } from '../files.js';
import { modelIn } from '../model-source.js';
import { metricsTable } from '../model-tables.js';
import { json } from '../tables.js';

interface EvaluateOptions {
  model: string;
  data: string;
  json?: true;
}

export function evaluateCommand(command: Command): void {
  command
    .requiredOption('--model <file>', 'a model file from fit')
    .requiredOption('--data <file>', 'samples, as CSV; - for standard input')
    .option('--json', 'print JSON, shares from 0 to 1: mape, median_ape, within_10, …')
    .addHelpText('after', '\nExample:\n  alphaflops evaluate --model model.json --data test.csv --json')
    .action(run);
}

async function run(options: EvaluateOptions): Promise<void> {
  const model = await modelIn(options.model);
  const samples = (
    await readAllSamples(readInput(options.data), inputName(options.data), noteIgnored(options.data))
  ).map(fitSample);
  const energy = evaluateEnergy(model, samples);
  if (options.json === true) {
    console.log(
      json({ ...asScripted(evaluate(model, samples)), ...(energy && { energy: asScripted(energy) }) }),
    );
    return;
  }
  console.log(`${samples.length} samples of ${inputName(options.data)}\n`);
  console.log(
    metricsTable(
      'form',
      model.forms.map(({ form }) => [
        form === model.chosenForm ? `${form} (chosen)` : form,
        evaluate(model, samples, form),
      ]),
    ),
  );
  if (energy !== null) {
    console.log(`\n${energy.n} of them with energy\n`);
    console.log(metricsTable('form', [[model.energy?.chosenForm ?? '', energy]]));
  }
}

/** Field names that scripts of users depend on. */
function asScripted({
  n,
  mape,
  medianApe,
  within10,
  within20,
  rmspe,
  r2,
  r2Log,
  spearman,
  coverage,
}: Metrics) {
  return {
    mape,
    median_ape: medianApe,
    within_10: within10,
    within_20: within20,
    rmspe,
    r2,
    r2_log: r2Log,
    spearman,
    coverage,
    n,
  };
}
