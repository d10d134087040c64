import type { ConvSpec } from '@alphaflops/conv';
import type { Command } from 'commander';
import { handOver } from '../hand-over.js';
import { spec } from '../spec-argument.js';

interface BenchOptions {
  spec: ConvSpec;
  executor?: string;
  device?: string;
  protocol?: string;
  processCommand?: string;
  tfjsNode?: string;
  softwareAdapter?: true;
  find?: true;
  energy?: true;
  json?: true;
}

export function benchCommand(command: Command): void {
  command
    .requiredOption(
      '--spec <spec>',
      'the convolution: b1-h56-w56-i64-o128-k3x3-s1-g1-f32, or height=56,width=56,…',
      spec,
    )
    .option('--executor <name>', 'through which (default: what a worker would use here)')
    .option('--device <uuid>', 'on which of its devices (default: the first)')
    .option('--protocol <name>', 'how it is timed (default: the one for the device)')
    .option('--process-command <command>', 'the program of executor process, which is then used')
    .option('--tfjs-node <folder>', 'where the package of executor tfjs-node is installed')
    .option('--software-adapter', 'executor tfjs-webgpu computes on the processor')
    .option('--find', 'executor cudnn uses the fastest algorithm, not the one that cuDNN expects to be')
    .option('--energy', 'measure its energy too, where the device counts it')
    .option('--json', 'print JSON: the measurement as it would be stored, and the device')
    .addHelpText(
      'after',
      '\nEnds with 1 when the outcome is not ok.\n\nExample:\n  alphaflops bench --spec h56-w56-i64-o128-k3x3',
    )
    .action(bench);
}

async function bench(options: BenchOptions): Promise<void> {
  const { executor, device, protocol, processCommand, tfjsNode, softwareAdapter, find, energy, json } =
    options;
  const named = { executor, device, protocol, 'process-command': processCommand, 'tfjs-node': tfjsNode };
  const flags = { 'software-adapter': softwareAdapter, find, energy, json };
  await handOver([
    ...['bench', '--spec', JSON.stringify(options.spec)],
    ...Object.entries(named).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`])),
    ...Object.entries(flags).flatMap(([name, value]) => (value === true ? [`--${name}`] : [])),
  ]);
}
