// `test.mjs PROJECT…`: tests, one jest project after the other, so that timing-sensitive ones do not disturb each other.
// `faults+accuracy` runs two beside each other: the one mostly waits, the other depends on processor time.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const PROJECTS = process.argv.slice(2);
const summaries = [];

for (const project of PROJECTS) {
  const report = join(tmpdir(), `alphaflops-${process.pid}-${project}.json`);
  const { status } = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules/jest/bin/jest.js'),
      '--json',
      '--outputFile',
      report,
      '--selectProjects',
      ...project.split('+'),
    ],
    {
      cwd: root,
      // jest prints its JSON on standard output too; the readable report is on standard error.
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        ...process.env,
        NODE_OPTIONS: '--experimental-vm-modules --no-warnings',
        // Where set-up puts Redis when it cannot be installed; npm does the same.
        PATH: [process.env.PATH ?? '', join(root, 'node_modules/.bin')].join(delimiter),
      },
    },
  );
  const { numPassedTests, numFailedTests, numPendingTests, testResults } = JSON.parse(
    readFileSync(report, 'utf8'),
  );
  rmSync(report);
  const skipped = testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter((test) => test.status === 'pending').map((test) => test.fullName),
  );
  summaries.push({
    project,
    status,
    passed: numPassedTests,
    failed: numFailedTests,
    pending: numPendingTests,
    skipped,
  });
  if (status !== 0) break;
}

for (const { project, skipped } of summaries) {
  for (const name of skipped) console.log(`skipped in ${project}: ${name}`);
}
const total = (field) => summaries.reduce((sum, summary) => sum + summary[field], 0);
console.log(`${total('passed')} passed, ${total('failed')} failed, ${total('pending')} skipped`);
process.exit(summaries.every(({ status }) => status === 0) ? 0 : 1);
