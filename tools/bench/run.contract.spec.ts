import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');
const PAGE = resolve(ROOT, 'docs/benchmarks.md');
const bench = (...args: string[]) => ['--import', 'tsx', 'tools/bench/run.ts', ...args];
const options = { cwd: ROOT, encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } } as const;

it('lists every benchmark', () => {
  expect(execFileSync(process.execPath, bench('--list'), options)).toMatch(/^planning: ./m);
});

it('lists the benchmarks when the requested one does not exist', () => {
  const { status, stderr } = spawnSync(process.execPath, bench('plannning'), options);
  expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringMatching(/plannning.*planning/) });
});

it('runs a small benchmark on real processes, and writes nothing', () => {
  const before = readFileSync(PAGE, 'utf8');
  const output = execFileSync(process.execPath, bench('planning', '--small'), options);
  expect(output).toMatch(/^planning: planning, storing and enqueuing 200 specs: .* ×/);
  expect(readFileSync(PAGE, 'utf8')).toBe(before);
});
