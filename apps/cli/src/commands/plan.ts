import { MAX_CAMPAIGN_SPECS } from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import { readSpecs, writeSpecs } from '@alphaflops/dataset';
import { type DesignChoice, type Exclusions, plan } from '@alphaflops/planning';
import type { Command } from 'commander';
import { constraintsOf, type DesignOptions, listOf, withDesign } from '../design-options.js';
import { inputName, noteIgnored, readInput, STANDARD, writeOutput } from '../files.js';
import { wholeNumber } from '../options.js';
import { json } from '../tables.js';

interface PlanOptions extends DesignOptions {
  size: number;
  out: string;
  json?: true;
}

export function planCommand(command: Command): void {
  withDesign(command, ['csv'])
    .requiredOption('--size <number>', 'maximum number of convolutions', wholeNumber(1, MAX_CAMPAIGN_SPECS))
    .requiredOption(
      '--out <file>',
      'file for the convolutions (canonical CSV without times); - for standard output',
    )
    .option('--json', 'print the numbers as JSON: planned, asked, excluded')
    .addHelpText(
      'after',
      '\nExample:\n  alphaflops plan --design networklike --size 500 --seed 7 --out specs.csv',
    )
    .action(run);
}

async function run(options: PlanOptions): Promise<void> {
  const constraints = constraintsOf(options);
  const { specs, excluded } = plan(await choiceOf(options), { specs: options.size, constraints });
  await writeOutput(options.out, writeSpecs(specs));
  if (options.json === true) {
    const summary = json({ planned: specs.length, asked: options.size, excluded });
    // Specs on standard output are for a program, so other text goes to standard error.
    if (options.out === STANDARD) console.error(summary);
    else console.log(summary);
    return;
  }
  console.error(`${specs.length} of ${options.size} convolutions planned${leftOut(excluded)}.`);
}

async function choiceOf(options: DesignOptions): Promise<DesignChoice> {
  const file = listOf(options);
  if (file === null) return { name: options.design, seed: options.seed } as DesignChoice;
  const specs: ConvSpec[] = [];
  for await (const row of readSpecs(readInput(file), inputName(file), noteIgnored(file)))
    specs.push(row.spec);
  return { name: 'csv', specs };
}

function leftOut(excluded: Exclusions): string {
  const reasons = Object.entries(excluded).map(([reason, count]) => `${count} ${reason}`);
  return reasons.length === 0 ? '' : `; left out: ${reasons.join(', ')}`;
}
