import type { PlanConstraints } from '@alphaflops/contracts';
import { DTYPES, type Dtype } from '@alphaflops/conv';
import { DESIGNS } from '@alphaflops/planning';
import { type Command, InvalidArgumentError } from 'commander';
import { CliError } from './error.js';
import { list, positiveNumber, seed } from './options.js';

/** What `plan` and `campaign create` say about the shapes they want. */
export interface DesignOptions {
  design: string;
  seed: number;
  csv?: string;
  maxMacs?: number;
  groups: boolean;
  dtypes?: Dtype[];
}

/** @param further designs that this command has beside those made by rule */
export function withDesign(command: Command, further: readonly string[]): Command {
  const names = [...DESIGNS.map(({ name }) => name), ...further].join(', ');
  return command
    .requiredOption('--design <name>', names)
    .option('--seed <number>', 'of the designs that are drawn', seed, 1)
    .option('--csv <file>', 'shapes of the design csv; - for standard input')
    .option('--max-macs <number>', 'leave out convolutions of more multiply-adds', positiveNumber)
    .option('--no-groups', 'leave out depthwise and grouped convolutions')
    .option(
      '--dtypes <list>',
      `${DTYPES.join(', ')}, separated by commas (default: f32, or what the file has)`,
      dtypes,
    );
}

export function constraintsOf({ maxMacs, groups, dtypes: wanted }: DesignOptions): PlanConstraints {
  return {
    ...(maxMacs !== undefined && { maxMacs }),
    ...(!groups && { allowGroups: false }),
    ...(wanted !== undefined && { dtypes: wanted }),
  };
}

/** The file of the design csv, null for the other designs. */
export function listOf({ design, csv }: DesignOptions): string | null {
  if (design === 'csv' && csv === undefined) throw new CliError('usage', 'The design csv needs --csv FILE.');
  if (design !== 'csv' && csv !== undefined) throw new CliError('usage', '--csv goes with --design csv.');
  return csv ?? null;
}

function dtypes(text: string, before?: Dtype[]): Dtype[] {
  return list(text, before).map((name) => {
    const found = DTYPES.find((dtype) => dtype === name);
    if (found === undefined) throw new InvalidArgumentError(`${name} is none of ${DTYPES.join(', ')}.`);
    return found;
  });
}
