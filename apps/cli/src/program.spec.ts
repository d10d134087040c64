import { ApiError } from '@alphaflops/api-client';
import { ConfigError } from '@alphaflops/config';
import { DatasetError } from '@alphaflops/dataset';
import { ModelError } from '@alphaflops/models';
import { PlanError } from '@alphaflops/planning';
import type { Command } from 'commander';
import { exitCodeOf } from './exit-code.js';
import { defineAll } from './lazy.js';
import { createProgram } from './program.js';

async function run(...args: string[]): Promise<{ exitCode: number; output: string }> {
  let output = '';
  const program = createProgram();
  const quiet = (command: typeof program): void => {
    command.configureOutput({ writeOut: (text) => (output += text), writeErr: (text) => (output += text) });
    command.commands.forEach((each) => {
      quiet(each);
    });
  };
  quiet(program);
  try {
    await program.parseAsync(args, { from: 'user' });
    return { exitCode: 0, output };
  } catch (error) {
    return { exitCode: exitCodeOf(error), output: `${output}${String(error)}` };
  }
}

/** Commands that have no subcommands. */
function leaves(command: Command): Command[] {
  const shown = command.createHelp().visibleCommands(command);
  return shown.length > 0 ? shown.flatMap(leaves) : [command];
}

function pathOf(command: Command): string {
  const { parent } = command;
  return parent?.parent ? `${pathOf(parent)} ${command.name()}` : command.name();
}

const documented = leaves(await defineAll(createProgram()));

describe('the command line', () => {
  it('shows help and exits with 0', async () => {
    for (const name of createProgram().commands.map((command) => command.name())) {
      const { exitCode, output } = await run(name, '--help');
      expect([name, exitCode]).toEqual([name, 0]);
      expect(output).toContain(`alphaflops ${name}`);
    }
    expect((await run('--version')).output).toMatch(/^\d+\.\d+\.\d+/);
  });

  it.each(documented.map((command) => [pathOf(command), command] as const))(
    '%s has an example in its help, and examples are right',
    async (path, command) => {
      let help = '';
      command.configureOutput({ writeOut: (text) => (help += text) });
      command.outputHelp();
      const examples = help.split('\n').filter((line) => line.startsWith(`  alphaflops ${path}`));
      expect(examples).not.toEqual([]);
      for (const example of examples) {
        const program = await defineAll(createProgram());
        leaves(program).forEach((each) => each.action(() => undefined));
        const [args = ''] = example.trim().split(/ >>? /);
        const words = [...args.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word);
        await program.parseAsync(words.slice(1), { from: 'user' });
      }
    },
  );

  it.each([
    [['campaign', 'lst'], 'Did you mean list?'],
    [['fitt'], 'Did you mean fit?'],
    [[], 'Usage: alphaflops'],
    [['fit', '--data', 'x.csv'], "'--out <file>' not specified"],
    [['fit', '--data', 'x.csv', '--out', 'y', '--limit', '0'], '--limit'],
    [['fit', '--data', 'x.csv', '--out', 'y', '--seed', '-1'], '--seed'],
    [['fit', '--data', 'x.csv', '--out', 'y', '--coverage', '90'], '--coverage'],
    [['fit', '--data', 'x.csv', '--out', 'y', '--loss', 'squared'], 'relative, absolute'],
    [['fit', '--data', 'x.csv', '--out', 'y', '--limt', '3'], 'Did you mean --limit?'],
    [['plan', '--design', 'spiral', '--size', '3', '--out', '-'], 'networklike'],
    [['plan', '--design', 'csv', '--size', '3', '--out', '-'], 'needs --csv FILE'],
    [['plan', '--design', 'random', '--csv', 'x', '--size', '3', '--out', '-'], '--csv needs --design csv'],
    [['predict', '--data', 'x.csv', '--out', 'y'], 'Name either --model FILE or --device-class ID'],
    [['predict', '--model', 'm', '--device-class', 'd'], 'Name either'],
    [['predict', '--model', 'm', '--spec', 'h1-w1-i1-o1-k1x1', '--grid-intensity', '9'], 'needs --network'],
    [['predict', '--model', 'm', '--network', 'n', '--grid-intensity', '-1'], 'above 0'],
    [['report'], 'Say --replication CAMPAIGN or --model MODEL'],
    [['report', '--replication'], 'a campaign, or --data FILE'],
    [['report', '--replication', 'c', '--data', 'x.csv'], 'a campaign, or --data FILE'],
    [['predict', '--model', 'm'], 'Give one of --data FILE'],
    [['predict', '--model', 'm', '--data', 'x.csv'], '--data needs --out FILE'],
    [['predict', '--model', 'm', '--spec', 'h1'], '--spec'],
  ])('refuses %j as wrong usage', async (args, reason) => {
    const { exitCode, output } = await run(...args);
    expect(output).toContain(reason);
    expect(exitCode).toBe(2);
  });

  it('gives 2 for a wrong request, and 1 for a coordinator that does not answer', () => {
    expect(exitCodeOf(new ApiError(400, 'invalid-request', ''))).toBe(2);
    expect(exitCodeOf(new ApiError(0, 'unreachable', ''))).toBe(1);
    expect(exitCodeOf(new ApiError(401, 'unknown-token', ''))).toBe(1);
    expect(exitCodeOf(new Error('anything'))).toBe(1);
  });

  it('gives 2 for wrong input, by the class of the error', () => {
    const problem = { code: 'empty', line: null, column: null, message: '' } as const;
    expect(exitCodeOf(new DatasetError('a.csv', [problem]))).toBe(2);
    expect(exitCodeOf(new ModelError('no-samples', ''))).toBe(2);
    expect(exitCodeOf(new PlanError('empty-plan', ''))).toBe(2);
    expect(exitCodeOf(new ConfigError(''))).toBe(2);
    expect(exitCodeOf(Object.assign(new Error(''), { name: 'ModelError' }))).toBe(1);
  });
});
