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

it('names what there is when asked for what there is not', () => {
  const { status, stderr } = spawnSync(process.execPath, bench('plannning'), options);
  expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringMatching(/plannning.*planning/) });
});

it('tries a benchmark out on real processes, and writes nothing', () => {
  const before = readFileSync(PAGE, 'utf8');
  const said = execFileSync(process.execPath, bench('planning', '--small'), options);
  expect(said).toMatch(/^planning: planning, storing and enqueuing 200 specs: .* ×/);
  expect(readFileSync(PAGE, 'utf8')).toBe(before);
});
