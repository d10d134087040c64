// npm run bench [-- NAME…] [--small] [--list] Runs the benchmarks, one process each, and writes their figures into
// docs/benchmarks.md. --small makes short trial runs and writes nothing. The exit code is 1 when a required bound is
// missed.
import { spawnSync } from 'node:child_process';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { judge } from './figures.js';
import { BENCHMARKS } from './registry.js';
import { keep, line, resultOf } from './results.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { small: { type: 'boolean', default: false }, list: { type: 'boolean', default: false } },
});
const all = Object.keys(BENCHMARKS);
const unknown = positionals.filter((name) => !all.includes(name));

if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(', ')}. The benchmarks are: ${all.join(', ')}.`);
  process.exitCode = 2;
} else if (values.list) {
  for (const name of all) console.log(`${name}: ${(await load(name)).what}`);
} else if (positionals.length === 1) {
  process.exitCode = await measure(positionals[0] ?? '');
} else {
  const flags = [...process.execArgv, import.meta.filename, ...(values.small ? ['--small'] : [])];
  for (const name of positionals.length > 0 ? positionals : all) {
    const { status } = spawnSync(process.execPath, [...flags, name], { stdio: 'inherit' });
    if (status !== 0) process.exitCode = status ?? 1;
  }
}

async function measure(name: string): Promise<number> {
  const loadBefore = loadavg()[0] ?? 0;
  const rows = await (await load(name)).run(values.small ? 'small' : 'full');
  for (const row of rows) console.log(line(name, row));
  if (values.small) return 0;
  await keep(name, resultOf(rows, loadBefore), all);
  return rows.some((row) => judge(row).verdict === 'missed') ? 1 : 0;
}

async function load(name: string) {
  const benchmark = await BENCHMARKS[name]?.();
  if (benchmark === undefined) throw new Error(`there is no benchmark ${name}`);
  return benchmark;
}
