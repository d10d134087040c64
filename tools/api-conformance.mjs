#!/usr/bin/env node
// Checks a coordinator against openapi.json: `npm run test:api-conformance`, on the build. Redocly checks the
// description itself. Schemathesis generates thousands of valid and invalid requests from the description and
// compares every answer with it. Both tools are downloaded once from their registries. Needs Python 3.10 or newer and
// Redis.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pipPackages } from './pip.mjs';

const REDOCLY = '@redocly/cli@2.77.0';
const SCHEMATHESIS = 'schemathesis==4.32.5';
const root = join(import.meta.dirname, '..');
const description = join(root, 'openapi.json');

const lint = run('npx', ['--yes', REDOCLY, 'lint', '--format=summary', description]);
const conformance = lint === 0 ? await conform() : 1;
process.exitCode = lint || conformance;

async function conform() {
  const packages = pipPackages(SCHEMATHESIS);
  const directory = mkdtempSync(join(tmpdir(), 'alphaflops-conformance-'));
  const up = spawn(
    process.execPath,
    [
      join(root, 'apps/cli/bin/alphaflops.js'),
      ...['up', '--no-worker', '--port', '0', '--data-dir', directory],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  try {
    for await (const line of createInterface(up.stdout)) if (line.includes('Ctrl-C stops it.')) break;
    const { url, token } = JSON.parse(readFileSync(join(directory, 'cli.json'), 'utf8'));
    const start = 'import sys; from schemathesis.cli import schemathesis; sys.exit(schemathesis())';
    return run(
      'python3',
      [
        ...['-c', start, '--config-file', join(import.meta.dirname, 'schemathesis.toml')],
        ...['run', description, '--url', url, '--header', `Authorization: Bearer ${token}`],
        ...process.argv.slice(2),
      ],
      { PYTHONPATH: packages },
    );
  } finally {
    up.kill('SIGTERM');
    if (up.exitCode === null) await once(up, 'exit');
    rmSync(directory, { recursive: true });
  }
}

function run(program, args, more = {}) {
  const { status, error } = spawnSync(program, args, { stdio: 'inherit', env: { ...process.env, ...more } });
  if (error !== undefined) console.error(error.message);
  return status ?? 1;
}
