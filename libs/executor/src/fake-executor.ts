import type { Conditions } from '@alphaflops/contracts';
import { CONV_SPEC_DEFAULTS, macs, specKey, type ConvSpec } from '@alphaflops/conv';
import { directSum, F32_TOLERANCE, seededElement, type BufferOrder } from '@alphaflops/measure';
import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { ExecutorError } from './error.js';
import {
  Executor,
  ExecutorSession,
  type PreparedConv,
  type PrepareOptions,
  type PrepareResult,
  type ProbeResult,
} from './executor.js';

/**
 * The behaviour of the fake executor for a spec of `fakeSpec`:
 * - `hang`: blocks its process for ever, as a hung driver does
 * - `crash`: its process writes to stderr and ends with exit code 70
 * - `abort`: its process is ended by a signal, as by a segmentation fault
 * - `throw`: throws an exception
 * - `slow`: takes `width` real milliseconds
 * - `slow-down`: the device takes a quarter longer for everything from then on
 * - the others: the outcome of that name
 */
export const FAKE_BEHAVIOURS = [
  'hang',
  'crash',
  'abort',
  'throw',
  'slow',
  'slow-down',
  'unsupported',
  'out-of-memory',
  'wrong-result',
  'noisy',
  'throttled',
] as const;
export type FakeBehaviour = (typeof FAKE_BEHAVIOURS)[number];

/** No real network has kernels of this height. The width of such a kernel selects the behaviour. */
const BEHAVIOUR_KERNEL_H = 97;

/** A spec with this behaviour. The times of all other specs are those of `fakeTimeMs`. */
export function fakeSpec(behaviour: FakeBehaviour, changes: Partial<ConvSpec> = {}): ConvSpec {
  const kernel_w = 1 + FAKE_BEHAVIOURS.indexOf(behaviour);
  const small = { height: 4, width: 4, cin: 1, cout: 1, kernel_h: BEHAVIOUR_KERNEL_H, kernel_w };
  return { ...CONV_SPEC_DEFAULTS, ...small, ...changes };
}

/** The timing law: 20 µs, plus one nanosecond per 20 multiply-adds. No real time passes. */
export function fakeTimeMs(spec: ConvSpec): number {
  return 0.02 + macs(spec) / 2e7;
}

/**
 * `fake` has two devices that several workers may share. `fake-gpu` has two devices that they may not share, which count
 * energy. `fake-one` is `fake` with one device.
 */
export const FAKE_EXECUTORS = ['fake', 'fake-gpu', 'fake-one'] as const;
type FakeName = (typeof FAKE_EXECUTORS)[number];

/**
 * UUID of a device of `fake-gpu`. Processes in different folders see different devices: a machine gives a GPU to one worker,
 * and tests with workers run at the same time.
 *
 * @param folder working directory of the process that uses the device
 */
export function fakeGpuUuid(index: 0 | 1, folder: string = process.cwd()): string {
  return `fake-gpu-${createHash('sha256').update(folder).digest('hex').slice(0, 8)}-${index}`;
}

/** Power of the devices of `fake-gpu`, in W. */
export const FAKE_POWER_W = { idle: 60, busy: 300 } as const;

/**
 * An executor for tests of code that uses executors. It must be requested by name, and is never a default.
 *
 * @throws ExecutorError `unknown-executor`
 */
export function createExecutor(name: string): Executor {
  const found = FAKE_EXECUTORS.find((known) => known === name);
  if (found === undefined) {
    const known = FAKE_EXECUTORS.map((one) => `"${one}"`).join(', ');
    throw new ExecutorError('unknown-executor', `there is no executor "${name}" here, only ${known}`);
  }
  return new FakeExecutor(found);
}

class FakeExecutor extends Executor {
  readonly version = '0.1.0';
  private readonly uuids: readonly string[];

  constructor(readonly name: FakeName) {
    super();
    const indices = name === 'fake-one' ? ([0] as const) : ([0, 1] as const);
    this.uuids = indices.map((index) => (this.isGpu ? fakeGpuUuid(index) : `fake-device-${index}`));
  }

  private get isGpu(): boolean {
    return this.name === 'fake-gpu';
  }

  probe(): Promise<ProbeResult> {
    const host = { hostname: 'fake', cpu: 'none', os: 'none', kernel: 'none', node: process.version };
    const devices = this.uuids.map((uuid) => ({
      uuid,
      sku: this.isGpu ? 'Fake GPU' : 'Fake device',
      kind: this.isGpu ? ('gpu' as const) : ('cpu' as const),
      executor: this.name,
      memoryBytes: null,
      smCount: null,
      provenance: {
        schema: 'alphaflops.provenance/1' as const,
        device: { uuid },
        executor: { name: this.name, version: this.version },
        libraries: {},
        mathMode: 'none',
        host,
      },
    }));
    return Promise.resolve({ ok: true, devices });
  }

  open(deviceUuid: string): Promise<ExecutorSession> {
    if (!this.uuids.includes(deviceUuid)) {
      const message = `there is no device "${deviceUuid}", only ${this.uuids.join(' and ')}`;
      return Promise.reject(new ExecutorError('unknown-device', message));
    }
    return Promise.resolve(new FakeSession(this.isGpu));
  }
}

class FakeSession extends ExecutorSession {
  private isThrottled = false;
  private slowness = 1;

  constructor(private readonly countsEnergy: boolean) {
    super();
  }

  async prepare(spec: ConvSpec, options: PrepareOptions): Promise<PrepareResult> {
    const behaviour = behaviourOf(spec);
    this.isThrottled = behaviour === 'throttled';
    if (spec.dtype !== 'f32') {
      return { ok: false, outcome: 'unsupported', reason: `the fake executor has no ${spec.dtype}` };
    }
    switch (behaviour) {
      case 'hang':
        return blockForEver();
      case 'crash':
        process.stderr.write('fake executor: crashing as requested\n');
        return process.exit(70);
      case 'abort':
        process.kill(process.pid, 'SIGSEGV');
        return blockForEver();
      case 'throw':
        throw new Error('fake executor: an exception as requested');
      case 'slow':
        await setTimeout(spec.width);
        break;
      case 'slow-down':
        this.slowness *= 1.25;
        break;
      case 'unsupported':
      case 'out-of-memory':
        return { ok: false, outcome: behaviour, reason: 'fake executor: as requested' };
      default:
        break; // The other behaviours have their effect during timing.
    }
    const timeMs = this.slowness * fakeTimeMs(spec);
    const conv = fakeConv(spec, options.seed, timeMs, behaviour);
    return { ok: true, conv: this.countsEnergy ? { ...conv, energy: fakeEnergy(timeMs) } : conv };
  }

  readConditions(): Promise<Conditions> {
    return Promise.resolve({
      smClockMhz: null,
      maxSmClockMhz: null,
      temperatureC: null,
      powerW: this.countsEnergy ? FAKE_POWER_W.idle : null,
      throttleReasons: this.isThrottled ? ['hw-thermal-slowdown'] : [],
      otherProcesses: null,
      hostLoad1: null,
    });
  }

  async dispose(): Promise<void> {
    // Nothing is allocated.
  }
}

/** No real time passes. */
function fakeEnergy(timeMs: number): NonNullable<PreparedConv['energy']> {
  const energyMillijoules = FAKE_POWER_W.busy * timeMs;
  return (windowMs) =>
    Promise.resolve({
      ok: true,
      energyMillijoules,
      integratedMillijoules: 0.98 * energyMillijoules,
      windowMs,
      iterations: Math.ceil(windowMs / timeMs),
    });
}

/** Blocks the event loop, as a driver that never returns does. */
function blockForEver(): never {
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

function behaviourOf(spec: ConvSpec): FakeBehaviour | undefined {
  return spec.kernel_h === BEHAVIOUR_KERNEL_H ? FAKE_BEHAVIOURS[spec.kernel_w - 1] : undefined;
}

function fakeConv(
  spec: ConvSpec,
  seed: number,
  timeMs: number,
  behaviour: FakeBehaviour | undefined,
): PreparedConv {
  const bufferOrder: BufferOrder = { input: 'NCHW', weights: 'OIHW' };
  let batches = 0;
  const disturbance = (): number => {
    const index = batches++;
    if (behaviour === 'noisy' && index % 2 === 1) return 1000;
    return 1 + 0.01 * seededElement('input', seed, index);
  };
  return {
    bufferOrder,
    tolerance: F32_TOLERANCE,
    algorithm: `law of ${specKey(spec)}`,
    workspaceBytes: null,
    timeBatchMs: (inner) => Promise.resolve(inner * timeMs * disturbance()),
    outputPoints: (points) =>
      Promise.resolve(
        points.map((point) =>
          behaviour === 'wrong-result' ? 1e6 : directSum(spec, seed, bufferOrder, point).value,
        ),
      ),
    dispose: () => Promise.resolve(),
  };
}
