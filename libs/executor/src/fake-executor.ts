import type { Conditions } from '@alphaflops/contracts';
import { CONV_SPEC_DEFAULTS, macs, specKey, type ConvSpec } from '@alphaflops/conv';
import { directSum, F32_TOLERANCE, seededElement, type BufferOrder } from '@alphaflops/measure';
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
 * What the fake executor does with a spec that `fakeSpec` made:
 * - `hang`: blocks its process for ever, as a hung driver does
 * - `crash`: its process writes to stderr and ends with exit code 70
 * - `abort`: its process is ended by a signal, as by a segmentation fault
 * - `throw`: throws an exception
 * - `slow`: takes `width` real milliseconds
 * - the others: the outcome of that name
 */
export const FAKE_BEHAVIOURS = [
  'hang',
  'crash',
  'abort',
  'throw',
  'slow',
  'unsupported',
  'out-of-memory',
  'wrong-result',
  'noisy',
  'throttled',
] as const;
export type FakeBehaviour = (typeof FAKE_BEHAVIOURS)[number];

/** No real network has kernels of this height; their width tells the behaviour. */
const BEHAVIOUR_KERNEL_H = 97;

/** A spec that makes the fake executor behave like that. Any other spec is measured by `fakeTimeMs`. */
export function fakeSpec(behaviour: FakeBehaviour, changes: Partial<ConvSpec> = {}): ConvSpec {
  const kernel_w = 1 + FAKE_BEHAVIOURS.indexOf(behaviour);
  const small = { height: 4, width: 4, cin: 1, cout: 1, kernel_h: BEHAVIOUR_KERNEL_H, kernel_w };
  return { ...CONV_SPEC_DEFAULTS, ...small, ...changes };
}

/** The timing law: 20 µs and 20 multiply-adds in a nanosecond. No time passes in reality. */
export function fakeTimeMs(spec: ConvSpec): number {
  return 0.02 + macs(spec) / 2e7;
}

/** For tests of what is built on executors. It must be asked for by its name, `fake`. */
export function createExecutor(name: string): Executor {
  if (name !== 'fake') {
    throw new ExecutorError('unknown-executor', `there is no executor "${name}" here, only "fake"`);
  }
  return new FakeExecutor();
}

const DEVICE_UUIDS = ['fake-device-0', 'fake-device-1'];

class FakeExecutor extends Executor {
  readonly name = 'fake';
  readonly version = '0.1.0';

  probe(): Promise<ProbeResult> {
    const host = { hostname: 'fake', cpu: 'none', os: 'none', kernel: 'none', node: process.version };
    const devices = DEVICE_UUIDS.map((uuid) => ({
      uuid,
      sku: 'Fake device',
      kind: 'cpu' as const,
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
    if (!DEVICE_UUIDS.includes(deviceUuid)) {
      const message = `there is no device "${deviceUuid}", only ${DEVICE_UUIDS.join(' and ')}`;
      return Promise.reject(new ExecutorError('unknown-device', message));
    }
    return Promise.resolve(new FakeSession());
  }
}

class FakeSession extends ExecutorSession {
  private isThrottled = false;

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
        process.stderr.write('fake executor: crashing as asked\n');
        return process.exit(70);
      case 'abort':
        process.kill(process.pid, 'SIGSEGV');
        return blockForEver();
      case 'throw':
        throw new Error('fake executor: an exception as asked');
      case 'slow':
        await setTimeout(spec.width);
        break;
      case 'unsupported':
      case 'out-of-memory':
        return { ok: false, outcome: behaviour, reason: 'fake executor: as asked' };
      default:
        break; // The others show while it is timed.
    }
    return { ok: true, conv: fakeConv(spec, options.seed, behaviour) };
  }

  readConditions(): Promise<Conditions> {
    return Promise.resolve({
      smClockMhz: null,
      maxSmClockMhz: null,
      temperatureC: null,
      powerW: null,
      throttleReasons: this.isThrottled ? ['hw-thermal-slowdown'] : [],
      otherProcesses: null,
      hostLoad1: null,
    });
  }

  async dispose(): Promise<void> {
    // Nothing is allocated.
  }
}

/** Blocks the event loop, as a driver that never returns does. */
function blockForEver(): never {
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

function behaviourOf(spec: ConvSpec): FakeBehaviour | undefined {
  return spec.kernel_h === BEHAVIOUR_KERNEL_H ? FAKE_BEHAVIOURS[spec.kernel_w - 1] : undefined;
}

function fakeConv(spec: ConvSpec, seed: number, behaviour: FakeBehaviour | undefined): PreparedConv {
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
    timeBatchMs: (inner) => Promise.resolve(inner * fakeTimeMs(spec) * disturbance()),
    outputPoints: (points) =>
      Promise.resolve(
        points.map((point) =>
          behaviour === 'wrong-result' ? 1e6 : directSum(spec, seed, bufferOrder, point).value,
        ),
      ),
    dispose: () => Promise.resolve(),
  };
}
