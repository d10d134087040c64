// npm run test:faults [-- --long] [--store sqlite|mongodb] [--seed N] [--campaigns N] [--specs N] [--faults N]
// [--kinds A,B] [--report FILE] The short form is one campaign of 1,000 specs on SQLite and one on MongoDB, with
// every kind of fault once on one of them (on the one of --store, all); the long one 20 campaigns of 2,000 specs with
// 10 faults each, on one store after the other. A report continues after the campaigns in FILE.json, in the same
// folder.
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

const root = resolve(import.meta.dirname, '../..');
const text = { type: 'string' };
const { values } = parseArgs({
  options: {
    long: { type: 'boolean', default: false },
    store: text,
    seed: text,
    campaigns: text,
    specs: text,
    faults: text,
    kinds: text,
    report: text,
  },
});
const settings = {
  ...(values.long && {
    campaigns: 20,
    faults: 10,
    stores: ['sqlite', 'mongodb'],
    alternate: true,
    specs: 2_000,
  }),
  ...(values.store !== undefined && { stores: [values.store] }),
  ...Object.fromEntries(
    ['seed', 'campaigns', 'faults', 'specs']
      .filter((name) => values[name] !== undefined)
      .map((name) => [name, whole(name, values[name])]),
  ),
  ...(values.kinds !== undefined && { kinds: values.kinds.split(',') }),
  ...(values.report !== undefined && { report: resolve(values.report) }),
};
const { status } = spawnSync(process.execPath, [resolve(root, 'tools/test.mjs'), 'faults'], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, ALPHAFLOPS_FAULTS: JSON.stringify(settings) },
});
process.exit(status ?? 1);

function whole(name, value) {
  if (/^\d+$/.test(value)) return Number(value);
  console.error(`--${name}: needs an integer, not ${value}`);
  process.exit(2);
}
