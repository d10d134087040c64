/** The executor with a plain Python program, on the build (`npm run build` first). */
import { CONV_SPEC_DEFAULTS, type ConvSpec } from '@alphaflops/conv';
import { ExecutorHost } from '@alphaflops/executor';
import { executorConformance } from '@alphaflops/executor/testing';
import { protocolNamed, withEnergy } from '@alphaflops/measure';
import { spawnSync } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createExecutor } from './index.js';

const STUB = fileURLToPath(new URL('../test/stub.py', import.meta.url));
const SPEC: ConvSpec = {
  ...CONV_SPEC_DEFAULTS,
  height: 8,
  width: 8,
  cin: 4,
  cout: 4,
  kernel_h: 3,
  kernel_w: 3,
};
const OPTIONS = { seed: 1, mode: 'hot' } as const;

const commandOf = (behaviour: string): string => `python3 "${STUB}" ${behaviour}`;
const hasPython = spawnSync('python3', ['--version']).status === 0;
const withPython = hasPython ? describe : describe.skip;
if (!hasPython) it.skip('python3 is not installed: the stub of the protocol cannot run', () => undefined);

withPython('the process executor conforms', () => {
  executorConformance({
    createExecutor: () => createExecutor('process', { command: commandOf('good') }),
    unsupported: [{ spec: { ...SPEC, dtype: 'bf16' }, reason: /the stub has no bf16/ }],
    huge: { ...SPEC, height: 1_048_576, width: 1_048_576 },
    grouped: 'computed',
  });
});

withPython('a program that breaks the protocol', () => {
  const timeWith = async (behaviour: string, requestLimitMs = 20_000): Promise<number> => {
    const session = await createExecutor('process', { command: commandOf(behaviour), requestLimitMs }).open(
      'stub-device-0',
    );
    try {
      const prepared = await session.prepare(SPEC, OPTIONS);
      if (!prepared.ok) throw new Error(prepared.reason);
      return await prepared.conv.timeBatchMs(10);
    } finally {
      await session.dispose();
    }
  };

  /** Of ten convolutions by the law of the stub. */
  const LAW_MS = 10 * (0.002 + (64 * 9 * 16) / 1e7);

  it('or rather keeps it, gives its times', async () => {
    expect(await timeWith('good')).toBeCloseTo(LAW_MS, 12);
  });

  it.each([
    ['garbage', 'garbage', /wrote to standard output what is no reply: Warning: this is not a reply;.*ready/],
    ['endless-line', 'garbage', /a line of more than 1048576 characters to standard output: xxx/],
    ['exit', 'ended', /ended with exit code 3; on standard error it last wrote: .*ready\nstub: no more/],
    ['segfault', 'ended', /ended by signal SIGSEGV; on standard error/],
    ['refuse', 'refused', /^the program says: not today$/],
    ['wrong-id', 'garbage', /replied to request 5, but the reply awaited is that to request 4/],
    ['wrong-type', 'garbage', /answered "time" wrongly: timeMs: .*expected number, received string/],
  ])('%s: %s, with what it wrote', async (behaviour, code, message) => {
    await expect(timeWith(behaviour)).rejects.toMatchObject({
      name: 'ProgramError',
      code,
      message: expect.stringMatching(message) as string,
    });
  });

  it('by not answering is ended at the limit of a request', async () => {
    await expect(timeWith('hang', 500)).rejects.toMatchObject({
      code: 'time-limit',
      message: expect.stringMatching(/did not answer "time" within 500 ms/) as string,
    });
  });

  it('by staying after its shutdown is ended', async () => {
    expect(await timeWith('stay')).toBeCloseTo(LAW_MS, 12);
  });
});

withPython('in the worker', () => {
  const module = '@alphaflops/executor-process';
  const hostWith = (behaviour: string): ExecutorHost =>
    new ExecutorHost({
      module,
      executor: 'process',
      settings: { command: commandOf(behaviour) },
      deviceUuid: 'stub-device-0',
    });
  const protocol = { ...protocolNamed('gpu'), specTimeLimitMs: 3000 };

  it('measures by the same protocol as every executor', async () => {
    const host = hostWith('good');
    const measurement = await host.measure(SPEC, protocol);
    await host.close();
    expect(measurement).toMatchObject({ outcome: 'ok', algorithm: 'direct sum', workspaceBytes: 0 });
    expect(measurement.timing?.timeMs).toBeCloseTo(0.002 + (64 * 9 * 16) / 1e7, 12);
    expect(measurement.timing?.eagerMs).toBeGreaterThan(0.01);
  }, 20_000);

  it('takes the energy from the program’s own meter, or its reason', async () => {
    const energyOf = async (behaviour: string) => {
      const host = hostWith(behaviour);
      const { timing } = await host.measure(SPEC, { ...withEnergy(protocol), specTimeLimitMs: 10_000 });
      await host.close();
      return { energyMillijoules: timing?.energyMillijoules, energy: timing?.energy };
    };
    expect(await energyOf('good')).toMatchObject({
      energyMillijoules: expect.closeTo(50 * (0.002 + (64 * 9 * 16) / 1e7), 9) as number,
      energy: { measured: true, meter: 'program', doubt: null },
    });
    expect(await energyOf('meterless')).toEqual({
      energyMillijoules: null,
      energy: { measured: false, reason: 'the meter of the stub is unplugged' },
    });
  }, 30_000);

  it('costs one spec when the program breaks the protocol', async () => {
    const host = hostWith('garbage');
    expect(await host.measure(SPEC, protocol)).toMatchObject({
      outcome: 'executor-crashed',
      reason: expect.stringContaining('Warning: this is not a reply') as string,
    });
    await host.close();
  }, 20_000);

  it('ends a hanging program together with the spec', async () => {
    const marker = `hang ${process.pid}-${Date.now()}`;
    const running = (): string =>
      spawnSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
        .stdout.split('\n')
        .filter((line) => line.includes('stub.py') && !line.includes('.js') && line.includes(marker))
        .join();
    const host = hostWith(marker);
    await host.start();
    expect(running()).not.toBe('');
    expect(await host.measure(SPEC, protocol)).toMatchObject({ outcome: 'timeout' });
    while (running() !== '') await setTimeout(50);
    await host.close();
  }, 20_000);
});

it.each([
  [{}, /alphaflops worker join --process-command/],
  [{ command: ' ' }, /command/],
  [{ command: 'python3', comand: 'x' }, /comand/],
])('names bad settings: %j', (settings, message) => {
  expect(() => createExecutor('process', settings)).toThrow(message);
});

it.each([
  [
    'no-such-program-anywhere --x',
    /no-such-program-anywhere cannot be started: there is no such program in the folders of PATH/,
  ],
  ['/no/such/program --x', /\/no\/such\/program cannot be started: .*ENOENT/],
  ['true', /ended with exit code 0/],
  ['echo hello', /wrote to standard output what is no reply: hello/],
])('probing "%s" says why it does not work', async (command, reason) => {
  expect(await createExecutor('process', { command }).probe()).toEqual({
    ok: false,
    reason: expect.stringMatching(reason) as string,
  });
});
