import { ApiError } from '@alphaflops/api-client';
import { exitCodeOf } from './exit-code.js';
import { createProgram } from './program.js';

async function run(...args: string[]): Promise<{ exitCode: number; said: string }> {
  let said = '';
  const program = createProgram();
  const quiet = (command: typeof program): void => {
    command.configureOutput({ writeOut: (text) => (said += text), writeErr: (text) => (said += text) });
    command.commands.forEach((each) => {
      quiet(each);
    });
  };
  quiet(program);
  try {
    await program.parseAsync(args, { from: 'user' });
    return { exitCode: 0, said };
  } catch (error) {
    return { exitCode: exitCodeOf(error), said: `${said}${String(error)}` };
  }
}

describe('the command line', () => {
  it('helps and exits with 0 when asked to', async () => {
    for (const name of createProgram().commands.map((command) => command.name())) {
      const { exitCode, said } = await run(name, '--help');
      expect([name, exitCode]).toEqual([name, 0]);
      expect(said).toContain(`alphaflops ${name}`);
    }
    expect((await run('--version')).said).toMatch(/^\d+\.\d+\.\d+/);
  });

  it.each([
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
    [
      ['plan', '--design', 'random', '--csv', 'x', '--size', '3', '--out', '-'],
      '--csv goes with --design csv',
    ],
    [['predict', '--data', 'x.csv', '--out', 'y'], 'Name either --model FILE or --device-class ID'],
    [['predict', '--model', 'm', '--device-class', 'd'], 'Name either'],
    [['predict', '--model', 'm'], 'Give one of --data FILE'],
    [['predict', '--model', 'm', '--data', 'x.csv'], '--data needs --out FILE'],
    [['predict', '--model', 'm', '--spec', 'h1'], '--spec'],
  ])('refuses %j as wrong usage', async (args, reason) => {
    const { exitCode, said } = await run(...args);
    expect(said).toContain(reason);
    expect(exitCode).toBe(2);
  });

  it('tells a wrong request from a coordinator that is not there', () => {
    expect(exitCodeOf(new ApiError(400, 'invalid-request', ''))).toBe(2);
    expect(exitCodeOf(new ApiError(0, 'unreachable', ''))).toBe(1);
    expect(exitCodeOf(new ApiError(401, 'unknown-token', ''))).toBe(1);
    expect(exitCodeOf(new Error('anything'))).toBe(1);
  });
});
