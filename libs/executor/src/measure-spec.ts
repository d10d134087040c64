import { implausibleTime, type Measurement, type Protocol } from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import {
  checkPoints,
  compareWithDirectSum,
  measure,
  type Clock,
  type Environment,
  type OutputCheck,
  type TimedConv,
} from '@alphaflops/measure';
import type { ExecutorSession, PreparedConv } from './executor.js';

/** Seed of the inputs of every measurement: a spec is always timed with the same inputs. */
export const INPUT_SEED = 1;

/**
 * Prepares, checks, times and disposes one spec. It throws only the errors of the executor.
 *
 * @param watched the energy meter of the device, or why it has none, and the disturbance watch
 * @throws the errors of the executor
 */
export async function measureSpec(
  session: ExecutorSession,
  spec: ConvSpec,
  protocol: Protocol,
  clock: Clock,
  watched: Pick<Environment, 'energy' | 'idlePowerW' | 'disturbance'> = {},
): Promise<Measurement> {
  const startedMs = clock.nowMs();
  const prepared = await session.prepare(spec, { seed: INPUT_SEED, mode: protocol.mode });
  if (!prepared.ok) {
    return { outcome: prepared.outcome, reason: prepared.reason, timing: null, conditions: null };
  }
  const { conv } = prepared;
  const timed: TimedConv = {
    algorithm: conv.algorithm,
    workspaceBytes: conv.workspaceBytes,
    kernel: conv.kernel,
    batchState: conv.batchState?.bind(conv),
    timeBatchMs: (inner) => conv.timeBatchMs(inner),
    eagerMs: conv.eagerMs?.bind(conv),
    runBackToBack: conv.runBackToBack?.bind(conv),
    energy: conv.energy?.bind(conv),
    checkOutput: () => checkOutput(spec, conv),
  };
  const readConditions = () => session.readConditions();
  try {
    return plausible(spec, await measure(timed, protocol, { clock, readConditions, startedMs, ...watched }));
  } finally {
    await conv.dispose();
  }
}

/** The measurement, or a measurement with the reason why its times cannot be true. */
function plausible(spec: ConvSpec, measurement: Measurement): Measurement {
  const { timing, conditions } = measurement;
  const problem = timing === null ? null : implausibleTime(spec, timing.timeMinMs);
  if (problem === null) return measurement;
  const reason = `the time that the executor reported cannot be true: ${problem}`;
  return { outcome: 'wrong-result', reason, timing: null, conditions };
}

/**
 * Compares a few output elements of a convolution, prepared with INPUT_SEED, with their direct sums.
 *
 * @throws what the executor throws
 */
export async function checkOutput(spec: ConvSpec, conv: PreparedConv): Promise<OutputCheck> {
  const points = checkPoints(spec, INPUT_SEED);
  const values = await conv.outputPoints(points);
  return compareWithDirectSum(spec, INPUT_SEED, conv.bufferOrder, conv.tolerance, points, values);
}
