/**
 * The worker as it is run, against a real Redis and over real HTTP: the built program (`apps/worker/dist`, so build
 * first) with the `fake` executor of libs/executor. Needs `redis-server`.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MeasureJob } from '@alphaflops/contracts';
import { fakeSpec } from '@alphaflops/executor/testing';
import { JobQueue, measureJobId, QueueConnection } from '@alphaflops/queue';
import { PrivateRedis } from '@alphaflops/queue/private-redis';
import { openResult } from '@alphaflops/provenance';
import { CoordinatorStandIn, DEVICE_CLASS_ID, JOIN_TOKEN } from './coordinator-stand-in.spec-helper.js';
import { exampleJob, exampleSpec } from './example-job.spec-helper.js';
import { isAlive, runProgram, WORKER_MAIN, WorkerProcess } from './worker-process.spec-helper.js';

const missing = whatIsMissing();
if (missing !== null) process.stderr.write(`worker.contract.spec.ts is skipped: ${missing}\n`);

/** The batches of a test; both workers of a test have the same device. */
const DEVICE_ID = 'fake-device-0';
type Slots = MeasureJob['slots'];

(missing === null ? describe : describe.skip)(
  `worker${missing === null ? '' : ` (skipped: ${missing})`}`,
  () => {
    let directory: string;
    let redis: PrivateRedis;
    let coordinator: CoordinatorStandIn;
    let connection: QueueConnection;
    let queue: JobQueue<'measure'>;
    const workers: WorkerProcess[] = [];
    let enrolled = 0;

    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'alphaflops-worker-'));
      redis = await PrivateRedis.start({ directory: join(directory, 'redis') });
    }, 60_000);

    beforeEach(async () => {
      coordinator = await CoordinatorStandIn.start(redis.address);
      openQueue();
    });

    function openQueue(): void {
      connection = new QueueConnection(redis.address);
      queue = new JobQueue('measure', connection, { targetId: DEVICE_ID });
    }

    async function closeQueue(): Promise<void> {
      await queue.close();
      connection.close();
    }

    afterEach(async () => {
      const complaints = coordinator.complaints;
      const seen = workers.map((worker) => worker.output()).join('\n');
      for (const worker of workers.splice(0)) {
        worker.process.kill('SIGKILL');
        await worker.ended;
      }
      await closeQueue();
      const secrets = coordinator.secretTexts;
      await coordinator.close();
      await emptyQueues();
      expect(complaints).toEqual([]);
      for (const secret of secrets) expect(seen).not.toContain(secret);
    }, 60_000);

    afterAll(async () => {
      await redis.stop();
      await rm(directory, { recursive: true });
    }, 60_000);

    /** Removes everything that a test has left, so that it cannot affect the next test. */
    async function emptyQueues(): Promise<void> {
      await redis.stop();
      await rm(join(directory, 'redis'), { recursive: true });
      redis = await PrivateRedis.start({ directory: join(directory, 'redis') });
    }

    function joinArguments(file: string): string[] {
      return [
        WORKER_MAIN,
        'join',
        coordinator.url,
        '--token',
        '-',
        '--executor',
        'fake',
        '--credentials',
        file,
      ];
    }

    async function enrol(): Promise<string> {
      const file = join(directory, `${++enrolled}`, 'worker.json');
      const { exitCode, output } = await runProgram(process.execPath, joinArguments(file), JOIN_TOKEN);
      expect([exitCode, output]).toEqual([0, expect.stringContaining('Enrolled')]);
      return file;
    }

    async function startWorker(file?: string): Promise<WorkerProcess> {
      const worker = WorkerProcess.start(file ?? (await enrol()));
      workers.push(worker);
      await worker.line(/taking batches/);
      return worker;
    }

    async function submit(
      specs: readonly Slots[number]['spec'][],
      to = queue,
      batchIndex = 0,
    ): Promise<void> {
      const slots = specs.map((spec, specIndex) => ({ specIndex, replicate: 0, spec }));
      const payload = exampleJob({ targetId: DEVICE_ID, batchIndex, slots });
      await to.submit([{ id: measureJobId(payload), payload }]);
    }

    const measuring = () => coordinator.beat(({ activity }) => activity === 'measuring');
    /** The real duration. */
    const slow = (ms: number) => fakeSpec('slow', { width: ms });

    it('joins with a token from standard input, measures a batch of its class with every kind of outcome, and leaves', async () => {
      const file = join(directory, 'first', 'worker.json');
      const args = [...joinArguments(file), '--label', 'rack=b2', '--name', 'node-1'];
      const { exitCode, output } = await runProgram(process.execPath, args, `${JOIN_TOKEN}\n`);
      expect([exitCode, output]).toEqual([
        0,
        expect.stringMatching(/Enrolled as worker-1 [^]*Measures +Fake device fake-device-0 with fake/),
      ]);
      expect(output).not.toContain('hush');
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      expect(coordinator.enrolments).toMatchObject([
        {
          name: 'node-1',
          labels: { rack: 'b2' },
          devices: [{ uuid: 'fake-device-0' }, { uuid: 'fake-device-1' }],
        },
      ]);

      const worker = await startWorker(file);
      const classQueue = new JobQueue('measure', connection, { targetId: DEVICE_CLASS_ID });
      const specs = [exampleSpec(), fakeSpec('unsupported'), fakeSpec('crash'), exampleSpec(16)];
      await submit(specs, classQueue, 7);
      const end = await coordinator.nextEnd();
      await classQueue.close();
      if (!end.ok) throw new Error(end.reason);
      const result = await openResult(end.sealed);
      expect(result.results.map(({ specIndex, measurement }) => [specIndex, measurement.outcome])).toEqual([
        [0, 'ok'],
        [1, 'unsupported'],
        [2, 'executor-crashed'],
        [3, 'ok'],
      ]);
      const commit = /^[0-9a-f]{40}$/;
      expect(result).toMatchObject({
        workerId: 'worker-1',
        deviceId: expect.stringMatching(/^fake-device-[01]$/),
        attempt: 1,
        provenance: {
          executor: { name: 'fake' },
          worker: { version: '0.1.0', commit: isCheckout() ? expect.stringMatching(commit) : null },
        },
      });
      expect(await worker.line(/^measured$/)).toMatchObject({
        worker: 'worker-1',
        campaign: 'c1',
        batch: 7,
        n: 4,
        outcomes: 'ok:2,unsupported:1,executor-crashed:1',
        seconds: expect.any(Number),
      });

      worker.process.kill('SIGINT');
      expect([await worker.ended, worker.stderr]).toEqual([0, '']);
      expect(coordinator.beats.at(-1)).toEqual({ workerId: 'worker-1', activity: 'stopped' });
    }, 120_000);

    it('gets the reason when it may not join, and then stores nothing', async () => {
      const file = join(directory, 'refused', 'worker.json');
      const { exitCode, output } = await runProgram(process.execPath, joinArguments(file), 'hush-old-token');
      expect([exitCode, output]).toEqual([1, expect.stringContaining('The join token is used up')]);
      expect(output).not.toContain('hush');
      await expect(readFile(file)).rejects.toMatchObject({ code: 'ENOENT' });
    }, 60_000);

    it('does not use its token if the disk is full, and names the file', async () => {
      const file = join(directory, 'full', 'worker.json');
      // Room for 4 KiB in each file. Unlike a file system of this size, it needs no right to mount.
      const limited = ['-c', 'ulimit -f 4; exec "$@"', 'bash', process.execPath, ...joinArguments(file)];
      // If SHLVL is unset, bash assumes that the socket on its standard input is a remote shell, and runs ~/.bashrc.
      const { exitCode, output } = await runProgram('bash', ['--norc', ...limited], JOIN_TOKEN);
      expect([exitCode, output]).toEqual([
        1,
        expect.stringMatching(/^Cannot store credentials in .*full\/worker\.json: EFBIG: file too large/),
      ]);
      expect(coordinator.enrolments).toEqual([]);
      expect(await readdir(join(directory, 'full'))).toEqual([]);
    }, 60_000);

    it('runs once per credentials, and again as soon as the first process is killed', async () => {
      const file = await enrol();
      const first = await startWorker(file);
      const second = await runProgram(process.execPath, [WORKER_MAIN, 'run', '--credentials', file]);
      expect(second).toEqual({
        exitCode: 1,
        output: expect.stringContaining(
          `A worker with the credentials ${file} is running already: process ${first.pid}. Stop it (kill ${first.pid})`,
        ),
      });
      first.process.kill('SIGKILL');
      await first.ended;
      await startWorker(file);
    }, 60_000);

    it('finishes the current batch on SIGTERM, and takes no other', async () => {
      const worker = await startWorker();
      await submit([slow(2_000), exampleSpec()]);
      await measuring();
      worker.process.kill('SIGTERM');
      await worker.line(/leaving after the current batch/);
      await submit([exampleSpec()], queue, 1);
      expect(await worker.ended).toBe(0);
      expect(coordinator.ends).toMatchObject([{ ok: true, lease: { id: 'c1.b0', attempt: 1 } }]);
      expect(await queue.counts()).toEqual({ waiting: 1, active: 0 });
      const messages = worker.lines.map(({ message }) => message);
      expect(messages.slice(-3)).toEqual(['leaving after the current batch', 'measured', 'left']);
    }, 60_000);

    it('returns the current batch on SIGQUIT, and another worker does it', async () => {
      const worker = await startWorker();
      await submit([slow(3_000)]);
      await measuring();
      const children = await worker.childPids();
      worker.process.kill('SIGQUIT');
      expect(await worker.ended).toBe(0);
      expect(children).not.toEqual([]);
      expect(children.filter(isAlive)).toEqual([]);
      expect(await queue.counts()).toEqual({ waiting: 1, active: 0 });
      await startWorker();
      expect(await coordinator.nextEnd()).toMatchObject({
        ok: true,
        sealed: { seal: { workerId: 'worker-2', attempt: 2 } },
      });
    }, 60_000);

    it('leaves no process behind on SIGKILL, and another worker has the batch within 15 s', async () => {
      const both = [await startWorker(), await startWorker()];
      await submit(Array.from({ length: 4 }, () => slow(750)));
      const { workerId: victimId } = await measuring();
      const victim = both[victimId === 'worker-1' ? 0 : 1] as WorkerProcess;
      const children = await victim.childPids();
      expect(children).not.toEqual([]);
      victim.process.kill('SIGKILL');
      const killedMs = Date.now();
      const taken = await coordinator.beat(
        (beat) => beat.workerId !== victimId && beat.activity === 'measuring',
      );
      expect(Date.now() - killedMs).toBeLessThan(15_000);
      expect(taken.workerId).not.toBe(victimId);
      expect(children.filter(isAlive)).toEqual([]);
      expect(await coordinator.nextEnd()).toMatchObject({
        ok: true,
        sealed: { seal: { workerId: taken.workerId, attempt: 2 } },
      });
    }, 90_000);

    it('exits when it is revoked, with the reason', async () => {
      const worker = await startWorker();
      await submit([fakeSpec('hang')]);
      await measuring();
      coordinator.setDesiredState('worker-1', 'revoked');
      expect(await worker.ended).toBe(1);
      expect(await worker.line(/revoked/)).toMatchObject({
        level: 'error',
        message: expect.stringContaining('The worker was revoked: sold.'),
      });
    }, 60_000);

    it('takes nothing while it is paused, continues when it is resumed, and ends when its parent ends', async () => {
      const worker = await startWorker();
      coordinator.setDesiredState('worker-1', 'paused');
      await worker.line(/paused by the operator/);
      await submit([exampleSpec()]);
      for (let beats = 0; beats < 10; beats++) {
        expect(await coordinator.beat(() => true)).toMatchObject({ activity: 'idle' });
      }
      expect(await queue.counts()).toEqual({ waiting: 1, active: 0 });
      coordinator.setDesiredState('worker-1', 'active');
      expect(await coordinator.nextEnd()).toMatchObject({ ok: true, lease: { attempt: 1 } });
      worker.process.disconnect();
      expect(await worker.ended).toBe(0);
    }, 60_000);

    it('ends after the current batch when it is drained', async () => {
      const worker = await startWorker();
      await submit([slow(1_000)]);
      await measuring();
      coordinator.setDesiredState('worker-1', 'draining');
      expect(await worker.ended).toBe(0);
      expect(await worker.line(/drained by the operator \(wanted draining\)/)).toBeDefined();
      expect(await coordinator.nextEnd()).toMatchObject({ ok: true, lease: { attempt: 1 } });
    }, 60_000);

    it('finishes its batch while the coordinator is unreachable, and sends the result afterwards', async () => {
      const worker = await startWorker();
      await submit([slow(1_000)]);
      await measuring();
      coordinator.isAway = true;
      await worker.line(/^measured$/);
      await worker.line(/The worker tries again until it gets an answer/);
      expect(coordinator.ends).toEqual([]);
      coordinator.isAway = false;
      expect(await coordinator.nextEnd()).toMatchObject({ ok: true, lease: { attempt: 1 } });
    }, 60_000);

    it('measures nothing more while results are not stored, and loses none of them', async () => {
      const worker = await startWorker();
      coordinator.isStoreAway = true;
      const count = 5;
      for (let batch = 0; batch < count; batch++) await submit([exampleSpec()], queue, batch);
      await worker.line(/Results are not stored/);
      expect(worker.lines.filter(({ message }) => message === 'measured')).toHaveLength(2);
      coordinator.isStoreAway = false;
      const ids: string[] = [];
      for (let batch = 0; batch < count; batch++) {
        const end = await coordinator.nextEnd();
        expect(end).toMatchObject({ ok: true, lease: { attempt: 1 } });
        ids.push(end.lease.id);
      }
      expect(ids.toSorted()).toEqual(['c1.b0', 'c1.b1', 'c1.b2', 'c1.b3', 'c1.b4']);
      await worker.line(/Results are stored again/);
    }, 60_000);

    it('ends although the coordinator is unreachable, and its batch is not lost', async () => {
      const worker = await startWorker();
      await submit([slow(20_000)]);
      await measuring();
      coordinator.isAway = true;
      worker.process.kill('SIGQUIT');
      expect(await worker.ended).toBe(0);
      coordinator.isAway = false;
      expect(await queue.counts()).toEqual({ waiting: 0, active: 1 });
      for (let counts = await queue.counts(); counts.waiting === 0; counts = await queue.counts()) {
        expect(counts.active).toBe(1);
      }
    }, 60_000);

    it('ends on SIGTERM within 5 s of the end of its batch, although nobody accepts its result', async () => {
      const worker = await startWorker();
      await submit([slow(500)]);
      await measuring();
      coordinator.isAway = true;
      worker.process.kill('SIGTERM');
      await worker.line(/^measured$/);
      const measuredMs = Date.now();
      expect(await worker.ended).toBe(0);
      expect(Date.now() - measuredMs).toBeLessThan(10_000);
      coordinator.isAway = false;
      expect(await queue.counts()).toEqual({ waiting: 0, active: 1 });
    }, 60_000);

    it('continues by itself after Redis was unreachable', async () => {
      const worker = await startWorker();
      await closeQueue();
      await redis.stop();
      redis = await PrivateRedis.start({ directory: join(directory, 'redis') });
      openQueue();
      await submit([exampleSpec()]);
      expect(await coordinator.nextEnd()).toMatchObject({ ok: true });
      expect(worker.process.exitCode).toBeNull();
    }, 60_000);
  },
);

function whatIsMissing(): string | null {
  if (!existsSync(WORKER_MAIN)) return 'apps/worker is not built';
  for (const program of ['redis-server', 'pgrep']) {
    try {
      execFileSync(program, ['--version'], { stdio: 'ignore' });
    } catch {
      return `${program} is not installed`;
    }
  }
  return null;
}

function isCheckout(): boolean {
  try {
    execFileSync('git', ['ls-files', '--error-unmatch', 'package.json'], {
      cwd: join(WORKER_MAIN, '../..'),
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}
