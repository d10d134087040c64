import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

const program = resolve(import.meta.dirname, '../bin/alphaflops.js');
const isBuilt = existsSync(resolve(import.meta.dirname, '../dist/main.js'));
const DATA = resolve(import.meta.dirname, '../../../data/sample-h100/h100-networklike-1000.csv');

interface Curve {
  design: string;
  test: number;
  curve: { shapes: number; median_ape: number; mape: number }[];
}

function simulate(...args: string[]): Promise<{ exitCode: number; out: string; err: string }> {
  return new Promise((done) => {
    execFile(process.execPath, [program, 'simulate', '--data', DATA, ...args], (error, out, err) => {
      done({ exitCode: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

(isBuilt ? describe : describe.skip)('simulate (skipped without a build: npm run build)', () => {
  it.each(['random', 'networklike', 'adaptive'])(
    'reports the learning curve of %s, which is the same each time',
    async (design) => {
      const args = [
        '--design',
        design,
        '--budget',
        '80',
        '--rounds',
        '2',
        '--sms',
        '132',
        '--seed',
        '3',
        '--json',
      ];
      const [first, second] = [await simulate(...args), await simulate(...args)];
      expect(first).toEqual({ ...second, exitCode: 0, err: '' });
      const { test, curve } = JSON.parse(first.out) as Curve;
      expect(curve.map(({ shapes }) => shapes)).toEqual([20, 80]);
      expect(test).toBeGreaterThan(150);
      const [start, end] = curve.map(({ median_ape }) => median_ape);
      expect(end).toBeLessThan(start ?? 0);
    },
  );

  it('prints a table for people', async () => {
    const { out } = await simulate('--design', 'networklike', '--budget', '60', '--rounds', '1');
    expect(out).toMatch(/^networklike, judged by \d+ samples .*\n\nmeasured +median APE +MAPE/);
  });

  it('refuses a budget that the data cannot meet, and an unknown design', async () => {
    const large = await simulate('--design', 'adaptive', '--budget', '5000');
    expect(large).toMatchObject({ exitCode: 2, out: '' });
    expect(large.err).toMatch(/there are \d+ shapes to choose from, fewer than the budget of 5000/);
    expect(await simulate('--design', 'spiral', '--budget', '5')).toMatchObject({ exitCode: 2 });
  });
});
