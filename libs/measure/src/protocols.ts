import type { DeviceDescription, Protocol } from '@alphaflops/contracts';
import { MeasureError } from './error.js';

const gpu: Protocol = {
  name: 'gpu',
  version: 1,
  mode: 'hot',
  warmUpMinRuns: 3,
  warmUpTolerance: 0.05,
  warmUpMaxMs: 1000,
  minBatchMs: 1.5,
  minBatches: 9,
  maxRelativeStandardError: 0.005,
  maxTotalMs: 2000,
  noisyRelativeStandardError: 0.05,
  specTimeLimitMs: 60_000,
  throttleRetries: 3,
  minClockShare: 0.75,
  checkOutput: true,
};

/** Each run begins with an empty last-level cache, as it does after a larger layer. */
const gpuCold: Protocol = { ...gpu, name: 'gpu-cold', mode: 'cold' };

/**
 * Host processors are shared and noisier. Longer batches average out the scheduler's time slices, and a less strict target
 * keeps a sample under half a second. It has no clock limit: the low clocks of idle cores do not describe the busy core.
 */
const cpu: Protocol = {
  ...gpu,
  name: 'cpu',
  version: 2,
  maxDisturbance: 0.06,
  warmUpTolerance: 0.1,
  warmUpMaxMs: 300,
  minBatchMs: 20,
  minBatches: 7,
  maxRelativeStandardError: 0.01,
  maxTotalMs: 400,
  noisyRelativeStandardError: 0.1,
  minClockShare: 0,
};

function unwatched(protocol: Protocol): Protocol {
  const others = { ...protocol };
  delete others.maxDisturbance;
  return others;
}

/** For trials: takes about a tenth of the time of `cpu`, is less exact, and does not watch for disturbance. */
const quickCpu: Protocol = {
  ...unwatched(cpu),
  name: 'quick-cpu',
  version: 1,
  warmUpMaxMs: 50,
  minBatchMs: 4,
  minBatches: 5,
  maxRelativeStandardError: 0.03,
  maxTotalMs: 50,
  noisyRelativeStandardError: 0.25,
  specTimeLimitMs: 10_000,
};

/** The newest version of each registered protocol, by name. A change of any number makes a new version. */
export const PROTOCOLS: Readonly<Record<string, Protocol>> = Object.freeze(
  Object.fromEntries(
    [gpu, gpuCold, cpu, quickCpu].map((protocol) => [protocol.name, Object.freeze(protocol)]),
  ),
);

/**
 * The newest version of the registered protocol with this name.
 *
 * @throws MeasureError `unknown-protocol`
 */
export function protocolNamed(name: string): Protocol {
  const protocol = Object.hasOwn(PROTOCOLS, name) ? PROTOCOLS[name] : undefined;
  if (protocol === undefined) {
    throw new MeasureError(
      'unknown-protocol',
      `there is no measuring protocol "${name}"; registered are ${Object.keys(PROTOCOLS).join(', ')}`,
    );
  }
  return protocol;
}

/**
 * The protocol of a campaign that does not name one.
 *
 * @param kind of the device
 */
export function defaultProtocol(kind: DeviceDescription['kind']): Protocol {
  return protocolNamed(kind);
}

/**
 * Shortest time in which the protocol measures a convolution of `ms` milliseconds.
 *
 * @param ms time of one convolution in milliseconds
 * @returns milliseconds of warm-up and timed batches, without preparation
 */
export function leastMs({ warmUpMinRuns, minBatches, minBatchMs }: Protocol, ms: number): number {
  return warmUpMinRuns * ms + minBatches * Math.max(minBatchMs, ms);
}
