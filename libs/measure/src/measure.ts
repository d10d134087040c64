import {
  type Conditions,
  type Measurement,
  type Protocol,
  type Timing,
  percent,
} from '@alphaflops/contracts';
import { isPowerLimited, throttling, withDisturbance } from './conditions.js';
import type { Environment } from './environment.js';
import { specEnergy } from './spec-energy.js';
import { MeasureError } from './error.js';
import { summarise, summariseClocks } from './statistics.js';
import { collectBatches } from './collect-batches.js';
import { Stopwatch } from './stopwatch.js';
import { TimedBatches } from './timed-batches.js';
import type { BatchState, TimedConv } from './timed-conv.js';
import { warmUp } from './warm-up.js';

/** Wait before the next attempt on a throttled device. It doubles with every attempt. */
const THROTTLE_WAIT_MS = 2000;

/**
 * Times one convolution by the protocol (docs/measurement.md): output check, warm-up, then batches until a stopping rule is
 * met. Conditions are read before, during and after the batches. An attempt during a slowdown is discarded and repeated after
 * a wait. A device at its power limit is in a normal state, which the sample records. Every result is an outcome of the
 * Measurement, also a time that cannot be true. The function throws only the errors of the executor.
 *
 * @param conv in device memory; the function does not dispose it
 * @returns times of one convolution, in milliseconds
 * @throws the errors of the executor
 */
export async function measure(
  conv: TimedConv,
  protocol: Protocol,
  environment: Environment,
): Promise<Measurement> {
  try {
    return await measureTrue(conv, protocol, environment);
  } catch (error) {
    if (!(error instanceof MeasureError) || error.code !== 'invalid-time') throw error;
    return { outcome: 'wrong-result', reason: error.message, timing: null, conditions: null };
  }
}

/** @throws MeasureError `invalid-time` */
async function measureTrue(
  conv: TimedConv,
  protocol: Protocol,
  environment: Environment,
): Promise<Measurement> {
  const { clock, startedMs = clock.nowMs() } = environment;
  const stopwatch = new Stopwatch(conv, clock, startedMs + protocol.specTimeLimitMs);
  const check = protocol.checkOutput && conv.checkOutput ? await conv.checkOutput() : { ok: true as const };
  if (!check.ok) return { outcome: 'wrong-result', reason: check.reason, timing: null, conditions: null };

  for (let attempt = 1; ; attempt++) {
    const run = await timeOnce(conv, stopwatch, protocol, environment);
    if (run.stoppedBy === 'time-limit') return timedOut(run, protocol);
    const { timing, conditions, relativeStandardError: error } = run;

    const observed = { ...conditions, batches: run.states };
    const throttled = throttling(observed, protocol);
    if (throttled !== null) {
      const waitMs = THROTTLE_WAIT_MS * (1 << (attempt - 1));
      if (attempt > protocol.throttleRetries || waitMs >= stopwatch.leftMs) {
        const reason = `${throttled}, on try ${attempt} of ${protocol.throttleRetries + 1}`;
        return { outcome: 'throttled', reason, timing, conditions };
      }
      await clock.wait(waitMs);
      continue;
    }

    if (run.disturbed !== null) {
      return { outcome: 'noisy', reason: run.disturbed, timing, conditions };
    }
    if (error > protocol.noisyRelativeStandardError) {
      const reason =
        `the standard error of the mean of ${timing.repetitions} batches is ${percent(error)}, ` +
        `above ${percent(protocol.noisyRelativeStandardError)}: something else was using the device or its host`;
      return { outcome: 'noisy', reason, timing, conditions };
    }
    const { algorithm, workspaceBytes, kernel } = conv;
    const energy = await specEnergy(conv, timing, stopwatch, protocol, environment);
    return {
      outcome: 'ok',
      timing: { ...timing, ...energy },
      conditions,
      algorithm,
      workspaceBytes,
      ...(kernel !== undefined && { kernel }),
      ...(isPowerLimited(observed) && { powerLimited: true }),
    };
  }
}

type Run =
  | {
      stoppedBy: Timing['stoppedBy'];
      timing: Timing;
      relativeStandardError: number;
      conditions: { before: Conditions; after: Conditions };
      states: readonly BatchState[];
      /** Why too few batches were undisturbed, or null. */
      disturbed: string | null;
    }
  | { stoppedBy: 'time-limit'; batches: TimedBatches; warmUpRuns: number };

async function timeOnce(
  conv: TimedConv,
  stopwatch: Stopwatch,
  protocol: Protocol,
  environment: Environment,
): Promise<Run> {
  const warm = await warmUp(stopwatch, protocol);
  if (warm === null) return { stoppedBy: 'time-limit', batches: new TimedBatches(1), warmUpRuns: 0 };
  const { inner, runs: warmUpRuns } = warm;

  const before = await environment.readConditions();
  const collected = await collectBatches(conv, stopwatch, inner, protocol, environment);
  const { batches, stoppedBy, disturbed, factor } = collected;
  if (stoppedBy === 'time-limit') return { stoppedBy, batches, warmUpRuns };
  const after = await environment.readConditions();
  // 0: one convolution is shorter than the resolution of the timer.
  const eagerMs = (await conv.eagerMs?.()) || null;
  const timing = timingOf(batches, warmUpRuns, stoppedBy, eagerMs);
  const conditions = { before, after: withDisturbance(after, factor) };
  const { relativeStandardError, states } = batches;
  return { stoppedBy, timing, relativeStandardError, conditions, states, disturbed };
}

function timedOut(run: Extract<Run, { stoppedBy: 'time-limit' }>, protocol: Protocol): Measurement {
  const { batches, warmUpRuns } = run;
  const count = batches.timesMs.length;
  return {
    outcome: 'timeout',
    reason: `${count} batches were timed when the limit of ${protocol.specTimeLimitMs} ms came near`,
    timing: count === 0 ? null : timingOf(batches, warmUpRuns, 'total-time', null),
    conditions: null,
  };
}

function timingOf(
  { timesMs, states, inner }: TimedBatches,
  warmUpRuns: number,
  stoppedBy: Timing['stoppedBy'],
  eagerMs: number | null,
): Timing {
  const batchClocks = summariseClocks(states.map(({ smClockMhz }) => smClockMhz));
  return {
    ...summarise(timesMs),
    ...{ innerIterations: inner, warmUpRuns, stoppedBy, eagerMs, energyMillijoules: null },
    ...(batchClocks && { batchClocks }),
  };
}
