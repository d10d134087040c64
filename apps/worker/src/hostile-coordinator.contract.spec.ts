/** A worker with executor `process` and a coordinator that wants it to run something else. Needs `redis-server`, `python3`. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { MeasureJob } from '@alphaflops/contracts';
import { JobQueue, measureJobId, QueueConnection } from '@alphaflops/queue';
import { PrivateRedis } from '@alphaflops/queue/private-redis';
import { openResult } from '@alphaflops/provenance';
import { CoordinatorStandIn, DEVICE_CLASS_ID, JOIN_TOKEN } from './coordinator-stand-in.spec-helper.js';
import { exampleJob, exampleSpec } from './example-job.spec-helper.js';
import { runProgram, WORKER_MAIN, WorkerProcess } from './worker-process.spec-helper.js';

const STUB = fileURLToPath(new URL('../../../libs/executor-process/test/stub.py', import.meta.url));
const LOOK_EVERY_MS = 10;

const missing = ['redis-server', 'python3'].filter(
  (program) => spawnSync(program, ['--version']).status !== 0,
);
const title = 'a hostile coordinator';

(missing.length === 0 ? describe : describe.skip)(
  missing.length === 0 ? title : `${title} (skipped: ${missing.join(', ')} missing)`,
  () => {
    let directory: string;
    let redis: PrivateRedis;
    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'alphaflops-hostile-'));
      redis = await PrivateRedis.start({ directory: join(directory, 'redis') });
    }, 60_000);
    afterAll(async () => {
      await redis.stop();
      await rm(directory, { recursive: true });
    }, 60_000);

    it('cannot make a worker start anything except its own command, with any content of answers and batches', async () => {
      const traces = await mkdtemp(join(directory, 'traces-'));
      let tries = 0;
      /** Creates a file if it is run. */
      const command = () => `touch ${join(traces, String((tries += 1)))}`;
      const coordinator = await CoordinatorStandIn.start(redis.address);
      coordinator.tamper = (body) => hostile(body, command);

      const credentials = join(directory, 'worker.json');
      // By its own path: python3 may be a script that starts others to find it.
      const python = spawnSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' });
      const own = [python.stdout.trim(), STUB, 'good'];
      const joining = [WORKER_MAIN, 'join', coordinator.url, '--token', '-', '--credentials', credentials];
      const joined = await runProgram(
        process.execPath,
        [...joining, '--executor', 'process', '--process-command', own.map((part) => `"${part}"`).join(' ')],
        JOIN_TOKEN,
      );
      expect([joined.exitCode, joined.output]).toEqual([0, expect.stringContaining('Enrolled')]);

      const worker = WorkerProcess.start(credentials);
      const seen = new Set<string>();
      const looking = new AbortController();
      const looked = look(worker.pid, seen, looking.signal);
      await worker.line(/taking batches/);

      const connection = new QueueConnection(redis.address);
      const queue = new JobQueue('measure', connection, { targetId: DEVICE_CLASS_ID });
      const specs = [exampleSpec(), exampleSpec(16)];
      const slots = specs.map((spec, specIndex) => ({ specIndex, replicate: 0, spec }));
      const good = exampleJob({ targetId: DEVICE_CLASS_ID, slots });
      const bad = [...hostileJobs(good, command)];
      const payloads = [good, ...bad].map((job, batchIndex) => ({ ...job, batchIndex }));
      await queue.submit(payloads.map((payload) => ({ id: measureJobId(payload), payload })));
      for (let left = payloads.length; left > 0;) {
        const { waiting, active } = await queue.counts();
        left = waiting + active;
      }
      looking.abort();
      await looked;
      await queue.close();
      connection.close();
      worker.process.kill('SIGKILL');
      await worker.ended;
      await coordinator.close();

      // The honest batch was measured, by the worker's own command.
      const end = coordinator.ends.find(({ lease }) => lease.id === measureJobId(good));
      if (end?.ok !== true) throw new Error(end?.reason);
      expect(await openResult(end.sealed)).toMatchObject({
        provenance: { executor: { name: 'process' } },
        results: [{ specIndex: 0 }, { specIndex: 1 }],
      });
      const programs = [...seen].map((line) => line.split('\0').slice(0, -1));
      expect(programs).toContainEqual(own);
      // All other processes are Node with alphaflops files, and Git, which gives the version of a checkout.
      const strange = programs.filter(
        ([program = '', ...args]) =>
          !(program.endsWith('node') && /\/(apps|libs)\/[\w-]+\/dist\//.test(args.join(' '))) &&
          program !== 'git' &&
          ![program, ...args].every((part, i) => part === own[i]),
      );
      expect(strange).toEqual([]);
      expect(tries).toBeGreaterThan(30);
      expect(await readdir(traces)).toEqual([]);
    }, 120_000);
  },
);

/** Fields that a program could trust, with a command in each. */
function temptations(command: () => string): Record<string, unknown> {
  return {
    command: command(),
    processCommand: command(),
    'process-command': command(),
    executor: {
      module: `data:text/javascript,import('child_process').then((c)=>c.execSync('${command()}'))`,
    },
    settings: { command: command(), libraryPath: [`$(${command()})`], folder: `$(${command()})` },
    module: `$(${command()})`,
    argv: ['/bin/sh', '-c', command()],
    env: { NODE_OPTIONS: `--eval=${command()}`, PATH: '/tmp', LD_PRELOAD: '/tmp/evil.so' },
    update: { url: 'http://127.0.0.1/evil.sh', run: command() },
    __proto__: { processCommand: command() },
  };
}

/** Labels accept any name, and a convolution is strict: with unknown fields, the whole answer is refused. */
const LEFT_AS_THEY_ARE = ['labels', 'spec'];

/** An answer with additional fields at every level. */
function hostile(body: unknown, command: () => string): unknown {
  if (Array.isArray(body)) return body.map((part) => hostile(part, command));
  if (typeof body !== 'object' || body === null) return body;
  const parts = Object.entries(body).map(
    ([name, part]) => [name, LEFT_AS_THEY_ARE.includes(name) ? part : hostile(part, command)] as const,
  );
  return { ...temptations(command), ...Object.fromEntries(parts) };
}

/** Batches that no planner makes; a queue accepts any batch. */
function* hostileJobs(good: MeasureJob, command: () => string): Iterable<MeasureJob> {
  const spec = good.slots[0]?.spec as MeasureJob['slots'][number]['spec'];
  const withSpec = (changes: object) => ({
    ...good,
    slots: [{ specIndex: 0, replicate: 0, spec: { ...spec, ...changes } }],
  });
  yield hostile(good, command) as MeasureJob;
  yield withSpec(temptations(command));
  for (const axis of Object.keys(spec)) {
    yield withSpec({ [axis]: `$(${command()})` });
    yield withSpec({ [axis]: `"; ${command()}; "` });
  }
  yield withSpec({ dtype: `f32\n{"id":1,"method":"exec","command":"${command()}"}` });
  yield { ...good, protocol: { ...good.protocol, name: `\`${command()}\`` } };
  yield { ...good, protocol: { ...good.protocol, mode: `| ${command()}` } } as unknown as MeasureJob;
}

/** Repeatedly records the command lines of all processes below `pid`. */
async function look(pid: number, seen: Set<string>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const parents = new Map<number, number>();
    for (const name of readdirSync('/proc').filter((each) => /^\d+$/.test(each))) {
      const stat = read(`/proc/${name}/stat`);
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    }
    const isBelow = (child: number): boolean => {
      const parent = parents.get(child);
      return parent !== undefined && (parent === pid || isBelow(parent));
    };
    for (const child of [...parents.keys()].filter(isBelow)) {
      const line = read(`/proc/${child}/cmdline`);
      if (line !== '') seen.add(line);
    }
    await setTimeout(LOOK_EVERY_MS);
  }
}

/** Empty when the process has ended. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
