import { ModelDiffSchema, type ModelDiff } from '@alphaflops/contracts';
import { diffModels } from '@alphaflops/models';
import type { Command } from 'commander';
import { connect, type ConnectionOptions, withConnection } from '../connection.js';
import { isModelFile, modelNamed } from '../model-source.js';
import { answered } from '../pages.js';
import { indented, json, significant, table } from '../tables.js';

interface DiffOptions extends ConnectionOptions {
  json?: true;
}

export function modelDiffCommand(command: Command): void {
  withConnection(
    command
      .argument('<before>', 'id of a model, or a file from fit or "model show --json"')
      .argument('<after>', 'the same; - for standard input')
      .description('changes between two models'),
  )
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  alphaflops model diff CLASS-v1 CLASS-v2')
    .action(diff);
}

async function diff(before: string, after: string, options: DiffOptions): Promise<void> {
  const found =
    isModelFile(before) || isModelFile(after)
      ? await ofFiles(before, after, options)
      : await diffFromApi(before, after, options);
  console.log(options.json === true ? json(found) : described(found));
}

async function diffFromApi(id: string, other: string, options: ConnectionOptions): Promise<ModelDiff> {
  const { data } = await connect(options).api.GET('/v1/models/{id}/diff/{other}', {
    params: { path: { id, other } },
  });
  return ModelDiffSchema.parse(answered(data));
}

async function ofFiles(before: string, after: string, options: ConnectionOptions): Promise<ModelDiff> {
  return diffModels(await modelNamed(before, options), await modelNamed(after, options));
}

function described({ origin, parameters, errors, interval, domain, notes }: ModelDiff): string {
  const parts = [
    part('Origin', origin, (value) => value ?? ''),
    part('Errors on held-out shapes (shares)', errors, figure),
    part('Interval', interval, figure),
    part('Parameters', parameters, figure),
    part('Domain', domain, figure),
    ...notes.removed.map((note) => `- ${note}`),
    ...notes.added.map((note) => `+ ${note}`),
  ].filter((text) => text !== '');
  return parts.length === 0 ? 'Nothing changed.' : parts.join('\n');
}

const figure = (value: number | null): string => (value === null ? '' : significant(value));

function part<T>(
  title: string,
  changes: readonly { what: string; before: T; after: T; unit?: string }[],
  shown: (value: T) => string,
): string {
  if (changes.length === 0) return '';
  const rows = changes.map(({ what, before, after, unit = '' }) => [what, shown(before), shown(after), unit]);
  return `${title}\n\n${indented(table(['', 'before', 'after', ''], rows))}\n`;
}
