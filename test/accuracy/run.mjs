// npm run test:accuracy [-- --full]: the figures that the models must reach; --full: all rows, five seeds each.
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const { status } = spawnSync(process.execPath, [resolve(root, 'tools/test.mjs'), 'accuracy'], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, ...(process.argv.includes('--full') && { ALPHAFLOPS_ACCURACY: 'full' }) },
});
process.exit(status ?? 1);
