// `test.mjs PROJECT…`: runs the tests, one jest project after the other, so that timing-sensitive projects do not
// disturb each other. `faults+accuracy` runs two projects in parallel: the first one mostly waits, and the second one
// depends on processor time.
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
      // jest also prints its JSON on standard output. The readable report is on standard error.
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        ...process.env,
        NODE_OPTIONS: '--experimental-vm-modules --no-warnings',
        // The folder in which set-up puts Redis when it cannot be installed. npm also adds it to PATH.
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
