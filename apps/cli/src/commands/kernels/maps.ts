import { type KernelMapImport, KernelMapKeySchema } from '@alphaflops/contracts';
import { type Command, Option } from 'commander';
import { z } from 'zod';
import { connect, type ConnectionOptions, withConnection } from '../../connection.js';
import { CliError } from '../../error.js';
import { readText, writeOutput } from '../../files.js';
import { answered, itemsOf } from '../../pages.js';
import { json, table } from '../../tables.js';

interface JsonOptions extends ConnectionOptions {
  json?: true;
}

interface ImportOptions extends JsonOptions {
  data: string;
  cudnn: string;
  computeCapability: string;
  mathMode: KernelMapImport['mathMode'];
}

export function listCommand(command: Command): void {
  withConnection(command)
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  alphaflops kernels list')
    .action(list);
}

export function exportCommand(command: Command): void {
  withConnection(command.argument('<id>'))
    .requiredOption('--out <file>', 'file for the labels (CSV); - for standard output')
    .addHelpText(
      'after',
      '\nExample:\n  alphaflops kernels export cudnn-9.19.0-cc-9.0-instant-tf32 --out labels.csv',
    )
    .action(exportMap);
}

export function importCommand(command: Command): void {
  withConnection(command)
    .requiredOption('--data <file>', 'labels, as "kernels label" writes them; - for standard input')
    .requiredOption('--cudnn <version>', 'version of cuDNN that chose the kernels, such as 9.19.0')
    .requiredOption('--compute-capability <version>', 'compute capability of the GPUs, such as 9.0')
    .addOption(
      new Option('--math-mode <mode>', 'whether f32 may be computed in TF32')
        .choices(['tf32', 'fp32'])
        .default('tf32'),
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  alphaflops kernels import --data labels.csv --cudnn 9.19.0 --compute-capability 9.0',
    )
    .action(importMap);
}

async function list(options: JsonOptions): Promise<void> {
  const { api } = connect(options);
  const maps = await itemsOf((query) => api.GET('/v1/kernel-maps', { params: { query } }));
  if (options.json === true) {
    console.log(json(maps));
    return;
  }
  console.log(
    table(
      ['id', 'shapes', 'kernels', 'made by', 'made'],
      maps.map(({ id, shapes, kernels, workerId, createdAt }) => [
        ...[id, String(shapes), String(kernels), workerId ?? 'import', createdAt],
      ]),
    ),
  );
}

async function exportMap(id: string, options: ConnectionOptions & { out: string }): Promise<void> {
  const { api } = connect(options);
  const { data } = await api.GET('/v1/kernel-maps/{id}/labels', {
    params: { path: { id } },
    parseAs: 'stream',
  });
  await writeOutput(options.out, answered<unknown>(data) as AsyncIterable<Uint8Array>);
}

async function importMap({
  data,
  cudnn,
  computeCapability,
  mathMode,
  ...options
}: ImportOptions): Promise<void> {
  const key = KernelMapKeySchema.safeParse({
    cudnnVersion: cudnn,
    computeCapability,
    heuristicMode: 'instant',
    mathMode,
  });
  if (!key.success) throw new CliError('usage', z.prettifyError(key.error));
  const { api } = connect(options);
  const answer = await api.POST('/v1/kernel-maps', { body: { ...key.data, csv: await readText(data) } });
  const map = answered(answer.data);
  console.log(options.json === true ? json(map) : `${map.id}: ${map.shapes} shapes, ${map.kernels} kernels`);
}
