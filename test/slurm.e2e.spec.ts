/**
 * docs/slurm/alphaflops.sbatch with the signals that Slurm sends, on a real coordinator and worker, without Slurm
 * itself.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { WORKER } from './support/programs.js';
import { Stack, until } from './support/stack.js';

const SCRIPT = resolve(import.meta.dirname, '../docs/slurm/alphaflops.sbatch');
const [host = ''] = hostname().split('.');

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start();
}, 60_000);
afterAll(() => stack.stop(), 60_000);

it('is a script that bash can read, with a signal before the limit', () => {
  expect(spawnSync('bash', ['-n', SCRIPT]).status).toBe(0);
});

it('enrols its node, and returns its batch when it is preempted', async () => {
  const { data } = await stack.api.POST('/v1/join-tokens', { body: {} });
  const files = Object.fromEntries(
    ['worker', 'join', 'node.json'].map((name) => [name, join(stack.directory, name)]),
  );
  writeFileSync(files['worker'] ?? '', `#!/bin/sh\nexec '${process.execPath}' '${WORKER}' "$@"\n`, {
    mode: 0o755,
  });
  writeFileSync(files['join'] ?? '', `${stack.url} ${data?.token ?? ''}\n`);
  const start = () => {
    const child = spawn('bash', [SCRIPT], {
      env: {
        PATH: process.env['PATH'],
        HOME: stack.directory,
        ALPHAFLOPS_WORKER: files['worker'],
        ALPHAFLOPS_JOIN: files['join'],
        ALPHAFLOPS_CREDENTIALS: files['node.json'],
      },
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (piece: Buffer) => (said += piece.toString()));
    return { child, output: () => said };
  };
  const preempt = async (
    job: ReturnType<typeof start>,
    when: () => Promise<boolean> = () => Promise.resolve(job.output().includes('taking batches')),
  ) => {
    await until(when, (is) => is || job.child.exitCode !== null);
    job.child.kill('SIGTERM');
    const [exitCode] = (await once(job.child, 'close')) as [number];
    return [exitCode, job.output()];
  };
  expect(await preempt(start())).toEqual([
    0,
    expect.stringMatching(/Enrolled as worker-[^]*leaving at once/),
  ]);
  // After a requeue on the same node, it is the same worker. This time it has a batch.
  const { data: classes } = await stack.api.GET('/v1/device-classes');
  await stack.api.POST('/v1/campaigns', {
    body: {
      name: 'preempted',
      design: { name: 'networklike', seed: 1 },
      target: { kind: 'device-class', deviceClassId: classes?.items[0]?.id ?? '' },
      budget: { specs: 200 },
      fit: { form: 'flops' },
    },
  });
  const worker = async () => (await stack.api.GET('/v1/workers')).data?.items ?? [];
  const [exitCode, output] = await preempt(start(), async () =>
    (await worker()).some(({ activity }) => activity === 'measuring'),
  );
  expect([exitCode, output]).toEqual([0, expect.not.stringContaining('Enrolled')]);
  expect(output).toMatch(/given back {2}.*campaign=c-/);
  expect((await worker()).map(({ name }) => name)).toEqual([host]);
}, 120_000);
