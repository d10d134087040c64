/** A node without a network: it receives its work as a file, and returns its results as a file. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Programs, CLI, WORKER } from './support/programs.js';
import { Stack, until } from './support/stack.js';

const BATCHES = 8;

let stack: Stack;
let node: Programs;
let carried: string;
beforeAll(async () => {
  stack = await Stack.start({ ALPHAFLOPS_BATCH_SPECS: '3' });
  node = await Programs.in('offline-node');
  carried = await mkdtemp(join(tmpdir(), 'alphaflops-carried-'));
}, 60_000);
afterAll(async () => {
  await node.stop();
  await stack.stop();
  await rm(carried, { recursive: true });
}, 60_000);

const file = (name: string) => join(carried, name);
const runOffline = (...words: string[]) => ['run-offline', '--executor', 'fake-one', ...words];
const operate = (...words: string[]) =>
  node.finished(CLI, ['campaign', ...words], { ALPHAFLOPS_URL: stack.url, ALPHAFLOPS_TOKEN: stack.token });
const state = async (id: string) =>
  (await stack.api.GET('/v1/campaigns/{id}', { params: { path: { id } } })).data?.state;

let deviceClassId: string;
let campaignId: string;

it('becomes known with its device class, and gets no token', async () => {
  const said = await node.finished(WORKER, runOffline('--out', file('node.tgz'), '--name', 'bunker'));
  expect([said.exitCode, said.output]).toEqual([0, expect.stringContaining('import-results')]);
  const imported = await operate('import-results', file('node.tgz'));
  expect([imported.exitCode, imported.output]).toEqual([0, expect.stringContaining('Stored 0 of 0 batches')]);
  const { data } = await stack.api.GET('/v1/device-classes');
  deviceClassId = data?.items[0]?.id ?? '';
  expect(said.output).toContain(deviceClassId);
  // Its public key is not enough to enrol in its name.
  execFileSync('tar', ['xzf', file('node.tgz'), '-C', carried]);
  const enrolment = JSON.parse(await readFile(file('node.json'), 'utf8')) as object;
  const { data: made } = await stack.api.POST('/v1/join-tokens', { body: { maxUses: 1 } });
  const taken = await fetch(new URL('v1/workers', stack.url), {
    method: 'POST',
    headers: { authorization: `Bearer ${made?.token ?? ''}`, 'content-type': 'application/json' },
    body: JSON.stringify(enrolment),
  });
  expect([taken.status, await taken.json()]).toEqual([409, expect.objectContaining({ code: 'key-in-use' })]);
});

it('measures a work file, continues after a kill, and its results complete the campaign', async () => {
  const { data } = await stack.api.POST('/v1/campaigns', {
    body: {
      name: 'carried',
      design: { name: 'networklike', seed: 1 },
      target: { kind: 'device-class', deviceClassId },
      budget: { specs: 3 * BATCHES },
      fit: { form: 'flops' },
    },
  });
  campaignId = data?.id ?? '';
  await until(() => state(campaignId), (now) => now === 'running'); // prettier-ignore
  const exported = await operate('export-work', campaignId, '--out', file('work.tgz'));
  expect([exported.exitCode, exported.output]).toEqual([0, expect.stringMatching(/^8 batches/)]);
  expect(
    execFileSync('tar', ['tzf', file('work.tgz')], { encoding: 'utf8' })
      .split('\n')
      .sort(),
  ).toEqual(['', 'batches.jsonl', 'work.json']);

  const measure = runOffline(file('work.tgz'), '--out', file('results.tgz'));
  const killed = node.start(WORKER, measure);
  await until(
    () => Promise.resolve(killed.output()),
    (output) => output.includes('  measured') || killed.child.exitCode !== null,
  );
  killed.child.kill('SIGKILL');
  await once(killed.child, 'close');
  expect(existsSync(file('results.tgz'))).toBe(false);
  const { exitCode, output } = await node.finished(WORKER, measure);
  expect([exitCode, output]).toEqual([0, expect.stringContaining('8 of 8 batches are measured')]);
  expect(output).toMatch(/going on {2}measuredBefore=[1-7]\n/);

  // A result that was changed in transit is refused, and nothing of it is stored.
  execFileSync('tar', ['xzf', file('results.tgz'), '-C', carried]);
  const lines = (await readFile(file('results.jsonl'), 'utf8')).trim().split('\n');
  const [first = '', second = ''] = lines;
  const body = (line: string) => (JSON.parse(line) as { body: string }).body;
  await writeFile(file('results.jsonl'), `${first.replace(body(first), body(second))}\n`);
  execFileSync('tar', ['czf', file('forged.tgz'), '-C', carried, 'node.json', 'results.jsonl']);
  const forged = await operate('import-results', file('forged.tgz'));
  expect([forged.exitCode, forged.output]).toEqual([1, expect.stringContaining('is not signed by worker-')]);
  const { data: samples } = await stack.api.GET('/v1/samples', { params: { query: { campaignId } } });
  expect(samples?.items).toEqual([]);

  for (const time of ['first', 'again']) {
    const imported = await operate('import-results', file('results.tgz'));
    expect([time, imported.exitCode, imported.output]).toEqual([
      time,
      0,
      expect.stringContaining('Stored 8 of 8 batches'),
    ]);
  }
  await until(() => state(campaignId), (now) => now === 'completed'); // prettier-ignore
  const query = { campaignId, limit: 100 };
  const { data: stored } = await stack.api.GET('/v1/samples', { params: { query } });
  expect(stored?.items.map(({ outcome }) => outcome)).toEqual(Array(3 * BATCHES).fill('ok'));
  expect(new Set(stored?.items.map(({ workerId }) => workerId)).size).toBe(1);
});

it('reports the reason for a file without work for this machine, and for a file that is not a work file', async () => {
  const other = ['run-offline', '--executor', 'fake', file('work.tgz'), '--out', file('other.tgz')];
  const { exitCode, output } = await node.finished(WORKER, other);
  expect([exitCode, output]).toEqual([1, expect.stringContaining(`It is for ${deviceClassId}`)]);
  const wrong = await node.finished(WORKER, runOffline(file('node.json'), '--out', file('wrong.tgz')));
  expect([wrong.exitCode, wrong.output]).toEqual([1, expect.stringContaining('Cannot use')]);
  const closed = await operate('export-work', campaignId, '--out', file('closed.tgz'));
  expect([closed.exitCode, closed.output]).toEqual([1, expect.stringContaining('completed')]);
});
