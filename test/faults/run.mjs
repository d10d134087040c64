// npm run test:faults [-- --long] [--seed N] [--campaigns N] [--faults N] [--kinds A,B] [--report FILE]
// The short form is one campaign with every kind of fault once; the long one 20 campaigns with 10 faults each.
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

const root = resolve(import.meta.dirname, '../..');
const text = { type: 'string' };
const { values } = parseArgs({
  options: {
    long: { type: 'boolean', default: false },
    seed: text,
    campaigns: text,
    faults: text,
    kinds: text,
    report: text,
  },
});
const settings = {
  ...(values.long && { campaigns: 20, faults: 10 }),
  ...Object.fromEntries(
    ['seed', 'campaigns', 'faults']
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
  console.error(`--${name}: a whole number is needed, not ${value}`);
  process.exit(2);
}
