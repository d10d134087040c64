/** Real child processes, on the build: `npm run build` first. */
import { MeasurementSchema, type Protocol } from '@alphaflops/contracts';
import { CONV_SPEC_DEFAULTS, type ConvSpec } from '@alphaflops/conv';
import { protocolNamed } from '@alphaflops/measure';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { ExecutorHost } from './executor-host.js';
import { fakeSpec, type FakeBehaviour } from './fake-executor.js';
import { probeAll } from './probe.js';

const FAKE = { module: '@alphaflops/executor/testing', executor: 'fake' };
const QUICK = protocolNamed('quick-cpu');
const NORMAL: ConvSpec = {
  ...CONV_SPEC_DEFAULTS,
  height: 8,
  width: 8,
  cin: 8,
  cout: 8,
  kernel_h: 3,
  kernel_w: 3,
};

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function untilDead(pid: number): Promise<void> {
  while (isAlive(pid)) await setTimeout(20);
}

describe('one host', () => {
  let host: ExecutorHost;

  beforeEach(() => {
    host = new ExecutorHost({ ...FAKE, deviceUuid: 'fake-device-0' });
  });

  afterEach(async () => {
    await host.close();
  });

  const pidOf = (): number => {
    if (host.childPid === undefined) throw new Error('no child is running');
    return host.childPid;
  };

  it('reads conditions in the child that measures', async () => {
    const { powerW, throttleReasons } = await host.readConditions();
    expect({ powerW, throttleReasons }).toEqual({ powerW: null, throttleReasons: [] });
    const pid = pidOf();
    await host.measure(NORMAL, QUICK);
    expect(pidOf()).toBe(pid);
  });

  it('measures in a child, and keeps the child', async () => {
    const first = await host.measure(NORMAL, QUICK);
    const pid = pidOf();
    const second = await host.measure(NORMAL, QUICK);
    expect(first).toEqual(second);
    expect(first).toMatchObject({
      outcome: 'ok',
      algorithm: 'law of b1-h8-w8-i8-o8-k3x3-s1-g1-f32-same-NCHW',
    });
    expect(pidOf()).toBe(pid);
    expect(pid).not.toBe(process.pid);
  });

  it.each<[FakeBehaviour, string, RegExp]>([
    ['hang', 'timeout', /^no result 1300 ms after the start: the executor process was killed$/],
    [
      'crash',
      'executor-crashed',
      /^the executor process ended with exit code 70; it last wrote: .*as requested$/,
    ],
    ['abort', 'executor-crashed', /^the executor process ended by signal SIGSEGV$/],
    ['throw', 'executor-crashed', /^fake executor: an exception as requested$/],
  ])('%s is %s, and the next spec gets a new child', async (behaviour, outcome, reason) => {
    await host.start();
    const pid = pidOf();
    const protocol: Protocol = { ...QUICK, specTimeLimitMs: 300 };
    const measurement = await host.measure(fakeSpec(behaviour), protocol);
    expect(MeasurementSchema.parse(measurement)).toEqual({
      outcome,
      reason: expect.stringMatching(reason) as string,
      timing: null,
      conditions: null,
    });
    expect(isAlive(pid)).toBe(false);
    expect((await host.measure(NORMAL, QUICK)).outcome).toBe('ok');
    expect(pidOf()).not.toBe(pid);
  });

  it('is no timeout when this process stood still while the child answered', async () => {
    await host.start();
    const pid = pidOf();
    const measuring = host.measure(fakeSpec('slow', { width: 100 }), { ...QUICK, specTimeLimitMs: 300 });
    // The request is on its way to the child.
    await new Promise(setImmediate);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_600);
    expect(await measuring).toMatchObject({ outcome: 'ok' });
    expect(pidOf()).toBe(pid);
  });

  it.each(['unsupported', 'out-of-memory', 'wrong-result', 'noisy'] as const)(
    '%s leaves the child alone',
    async (behaviour) => {
      await host.start();
      const pid = pidOf();
      expect((await host.measure(fakeSpec(behaviour), QUICK)).outcome).toBe(behaviour);
      expect(pidOf()).toBe(pid);
    },
  );

  it('is throttled after its retries', async () => {
    const protocol = { ...QUICK, throttleRetries: 0 };
    expect((await host.measure(fakeSpec('throttled'), protocol)).outcome).toBe('throttled');
  });

  it('survives the kill of its child from outside', async () => {
    await host.start();
    const pid = pidOf();
    const measuring = host.measure(fakeSpec('slow', { width: 60_000 }), {
      ...QUICK,
      specTimeLimitMs: 90_000,
    });
    process.kill(pid, 'SIGKILL');
    expect(await measuring).toMatchObject({
      outcome: 'executor-crashed',
      reason: 'the executor process ended by signal SIGKILL',
    });
    expect((await host.measure(NORMAL, QUICK)).outcome).toBe('ok');
  });

  it('stops at once when aborted, and can continue', async () => {
    await host.start();
    const pid = pidOf();
    const abort = new AbortController();
    const measuring = host.measure(fakeSpec('slow', { width: 60_000 }), QUICK, abort.signal);
    abort.abort();
    await expect(measuring).rejects.toMatchObject({ code: 'aborted' });
    expect(isAlive(pid)).toBe(false);
    await expect(host.measure(NORMAL, QUICK, abort.signal)).rejects.toMatchObject({ code: 'aborted' });
    expect((await host.measure(NORMAL, QUICK)).outcome).toBe('ok');
  });

  it('measures one spec at a time', async () => {
    const first = host.measure(fakeSpec('slow', { width: 50 }), QUICK);
    await expect(host.measure(NORMAL, QUICK)).rejects.toMatchObject({ code: 'busy' });
    expect((await first).outcome).toBe('ok');
  });

  it('starts the next spec without a request, and answers in order', async () => {
    // The same object twice: specs are distinguished by their positions.
    const slow = [1, 2, 3].map((cout) => fakeSpec('slow', { width: 30, cout }));
    const specs = [...slow, ...slow.slice(2)];
    const algorithms: unknown[] = [];
    for await (const measurement of host.measureEach(specs, QUICK)) {
      algorithms.push(measurement.outcome === 'ok' && measurement.algorithm);
      // During this time the child measures the next spec, although no caller waits for it.
      if (algorithms.length === 2) await setTimeout(100);
    }
    expect(algorithms).toEqual(specs.map(({ cout }) => expect.stringContaining(`-o${cout}-`) as string));
  });

  it('reports the failure for the spec that ended the child, not for the one before, and continues after it', async () => {
    const specs = [NORMAL, fakeSpec('abort'), { ...NORMAL, cout: 9 }, NORMAL];
    const outcomes: string[] = [];
    for await (const { outcome } of host.measureEach(specs, QUICK)) outcomes.push(outcome);
    expect(outcomes).toEqual(['ok', 'executor-crashed', 'ok', 'ok']);
  });

  it('never uses a result without a waiting caller for another spec', async () => {
    for await (const { outcome } of host.measureEach([NORMAL, fakeSpec('wrong-result')], QUICK)) {
      expect(outcome).toBe('ok');
      break;
    }
    expect((await host.measure({ ...NORMAL, cout: 9 }, QUICK)).outcome).toBe('ok');
    expect((await host.readConditions()).powerW).toBeNull();
  });

  it('closes an idle child and a busy one', async () => {
    await host.start();
    const idle = pidOf();
    await host.close();
    expect(isAlive(idle)).toBe(false);
    await expect(host.measure(NORMAL, QUICK)).rejects.toMatchObject({ code: 'closed' });

    const busy = new ExecutorHost({ ...FAKE, deviceUuid: 'fake-device-0' });
    await busy.start();
    const pid = busy.childPid ?? NaN;
    const measuring = busy.measure(fakeSpec('hang'), QUICK);
    const refused = expect(measuring).rejects.toMatchObject({ code: 'closed' });
    await busy.close();
    await refused;
    expect(isAlive(pid)).toBe(false);
  });

  it('ignores signals to the whole process group, so that the parent decides', async () => {
    await host.start();
    const pid = pidOf();
    const measuring = host.measure(fakeSpec('slow', { width: 200 }), QUICK);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.kill(pid, signal);
    expect((await measuring).outcome).toBe('ok');
    expect(pidOf()).toBe(pid);
  });
});

it.each([
  [{ ...FAKE, executor: 'cudnn' }, 'fake-device-0', 'there is no executor "cudnn" here, only "fake"'],
  [{ ...FAKE, module: '@alphaflops/missing' }, 'fake-device-0', 'cannot be loaded'],
  [FAKE, 'fake-device-7', 'there is no device "fake-device-7"'],
])('does not start %j on %s', async (reference, deviceUuid, reason) => {
  const host = new ExecutorHost({ ...reference, deviceUuid });
  await expect(host.measure(NORMAL, QUICK)).rejects.toMatchObject({
    code: 'start-failed',
    message: expect.stringContaining(reason) as string,
  });
  expect(host.childPid).toBeUndefined();
  await host.close();
});

it.each<[string, ConvSpec]>([
  ['idle', NORMAL],
  ['hung', fakeSpec('hang')],
])(
  'a child that is %s ends with its parent',
  async (_, spec) => {
    const host = new URL('../dist/executor-host.js', import.meta.url).href;
    const program = `
    const { ExecutorHost } = await import(${JSON.stringify(host)});
    const host = new ExecutorHost(${JSON.stringify({ ...FAKE, deviceUuid: 'fake-device-0' })});
    await host.start();
    const measuring = host.measure(${JSON.stringify(spec)}, ${JSON.stringify(QUICK)});
    ${spec === NORMAL ? 'await measuring;' : ''}
    process.stdout.write(String(host.childPid));
    await new Promise(() => setInterval(() => undefined, 1000));`;
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(parent, 'exit').then(() => {
      throw new Error('the parent ended before its child started; see its output above');
    });
    const [firstOutput] = (await Promise.race([once(parent.stdout, 'data'), ended])) as [Buffer];
    const pid = Number(firstOutput.toString());
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await untilDead(pid);
    expect(isAlive(pid)).toBe(false);
  },
  20_000,
);

it('probes every executor and gives the reason when one does not work', async () => {
  const missing = { module: '@alphaflops/missing', executor: 'cudnn' };
  const probed = await probeAll([FAKE, missing]);
  expect(probed).toMatchObject([
    {
      executor: 'fake',
      result: { ok: true, devices: [{ uuid: 'fake-device-0' }, { uuid: 'fake-device-1' }] },
    },
    {
      executor: 'cudnn',
      result: { ok: false, reason: expect.stringContaining('@alphaflops/missing') as string },
    },
  ]);
});

it.each([
  [1, { ok: false, reason: 'no such device' }],
  [2, { ok: false, reason: 'the executor process ended by signal SIGKILL' }],
])('probes again when the process is killed from outside; killed %i times', async (kills, result) => {
  const directory = await mkdtemp(join(tmpdir(), 'alphaflops-probe-'));
  try {
    const adapter = join(directory, 'adapter.mjs');
    const program = `import { appendFileSync, statSync } from 'node:fs';
      const tally = ${JSON.stringify(join(directory, 'tally'))};
      const probe = () => {
        appendFileSync(tally, '.');
        if (statSync(tally).size <= ${kills}) process.kill(process.pid, 'SIGKILL');
        return { ok: false, reason: 'no such device' };
      };
      export const createExecutor = () => ({ probe });`;
    await writeFile(adapter, program);
    const [probed] = await probeAll([{ module: pathToFileURL(adapter).href, executor: 'killed' }]);
    expect(probed?.result).toEqual(result);
  } finally {
    await rm(directory, { recursive: true });
  }
});
