import type { PlanConstraints } from '@alphaflops/contracts';
import { DTYPES, PASSES, type Dtype, type Pass } from '@alphaflops/conv';
import { DESIGNS } from '@alphaflops/planning';
import { type Command, InvalidArgumentError } from 'commander';
import { CliError } from './error.js';
import { list, positiveNumber, seed } from './options.js';

/** Options of `plan` and `campaign create` that select the shapes. */
export interface DesignOptions {
  design: string;
  seed: number;
  csv?: string;
  maxMacs?: number;
  groups: boolean;
  dtypes?: Dtype[];
  passes?: Pass[];
  allGeometries?: true;
}

/** @param further designs of this command in addition to the generated ones */
export function withDesign(command: Command, further: readonly string[]): Command {
  const names = [...DESIGNS.map(({ name }) => name), ...further].join(', ');
  return command
    .requiredOption('--design <name>', names)
    .option('--seed <number>', 'seed of the random designs', seed, 1)
    .option('--csv <file>', 'shapes of the design csv; - for standard input')
    .option('--max-macs <number>', 'leave out convolutions with more multiply-adds', positiveNumber)
    .option('--no-groups', 'leave out depthwise and grouped convolutions')
    .option(
      '--dtypes <list>',
      `${DTYPES.join(', ')}, separated by commas (default: f32, or the types in the file)`,
      dtypes,
    )
    .option(
      '--passes <list>',
      `${PASSES.join(', ')}, separated by commas: each shape in each of them (default: forward, or the passes in the file)`,
      passes,
    )
    .option(
      '--all-geometries',
      'networklike also draws dilated kernels, strides by axis and explicit padding',
    );
}

export function constraintsOf(options: DesignOptions): PlanConstraints {
  const { maxMacs, groups, dtypes, passes: inPasses, allGeometries } = options;
  return {
    ...(maxMacs !== undefined && { maxMacs }),
    ...(!groups && { allowGroups: false }),
    ...(dtypes !== undefined && { dtypes }),
    ...(inPasses !== undefined && { passes: inPasses }),
    ...(allGeometries === true && { allGeometries }),
  };
}

/** The file of the design csv, null for the other designs. */
export function listOf({ design, csv }: DesignOptions): string | null {
  if (design === 'csv' && csv === undefined) throw new CliError('usage', 'The design csv needs --csv FILE.');
  if (design !== 'csv' && csv !== undefined) throw new CliError('usage', '--csv needs --design csv.');
  return csv ?? null;
}

function dtypes(text: string, before?: Dtype[]): Dtype[] {
  return list(text, before).map((name) => {
    const found = DTYPES.find((dtype) => dtype === name);
    if (found === undefined) throw new InvalidArgumentError(`${name} is not one of ${DTYPES.join(', ')}.`);
    return found;
  });
}

function passes(text: string, before?: Pass[]): Pass[] {
  return list(text, before).map((name) => {
    const found = PASSES.find((pass) => pass === name);
    if (found === undefined) throw new InvalidArgumentError(`${name} is not one of ${PASSES.join(', ')}.`);
    return found;
  });
}
