import { type Protocol, type Timing, errorText } from '@alphaflops/contracts';
import type { Clock } from './clock.js';
import { throttling } from './conditions.js';
import { energyFields, noEnergy } from './energy.js';
import { measureEnergy, type BackToBack } from './energy-window.js';
import type { EnergySource, Environment } from './environment.js';
import type { Stopwatch } from './stopwatch.js';
import type { TimedConv } from './timed-conv.js';

/** Duration of one call on the device: long enough that the pause between two calls has no effect. */
const CHUNK_MS = 50;
/** Idle power is read for this time before and after the window. */
const IDLE_MS = 500;
/** After work, a processor needs this time to return to its idle power. */
const SETTLE_MS = 200;
/**
 * A meter of a whole machine also counts the energy of other programs. Their use of one processor must be below this
 * share.
 */
export const MAX_OTHER_LOAD = 0.1;
/** A change of the idle power by more than this share of the power in the window puts the energy in doubt. */
const MAX_IDLE_CHANGE = 0.1;

/**
 * Energy of the convolution that was just timed, in the form of its Timing. Nothing if the protocol does not request
 * it. If the energy is unknown, the result has the reason.
 */
export async function specEnergy(
  conv: TimedConv,
  { timeMs }: Timing,
  stopwatch: Stopwatch,
  protocol: Protocol,
  environment: Environment,
): Promise<Partial<Timing>> {
  const { clock, energy: source, idlePowerW = null } = environment;
  const windowMs = protocol.energyWindowMs;
  if (windowMs === undefined) return {};
  if (protocol.mode === 'cold') return noEnergy('energy is measured with hot caches only');
  // The window may begin late, it ends with a whole convolution, and idle power is read before and after it.
  const tooLate = stopwatch.leftMs < 2 * windowMs + 3 * timeMs + 2 * (IDLE_MS + SETTLE_MS);
  const late = 'too little time was left for it before the limit of the spec';
  const throttled = async (): Promise<string[]> => {
    const now = await environment.readConditions();
    const reason = throttling({ before: now, after: now, batches: [] }, protocol);
    return reason === null ? [] : [reason];
  };
  if (conv.energy !== undefined) {
    if (tooLate) return noEnergy(late);
    const reading = await conv.energy(windowMs);
    return energyFields(reading, { meter: 'program', idlePowerW, doubts: await throttled() });
  }
  if (typeof source !== 'object') return noEnergy(source ?? 'nothing counts the energy of this device');
  if (tooLate) return noEnergy(late);
  try {
    const run = conv.runBackToBack?.bind(conv) ?? backToBack(conv, timeMs);
    if (source.otherProcessorMs() !== null) return await hostEnergy(source, run, windowMs, clock);
    const reading = await measureEnergy(
      () => source.read(),
      run,
      windowMs,
      () => clock.nowMs(),
    );
    return energyFields(reading, { meter: source.name, idlePowerW, doubts: await throttled() });
  } catch (error) {
    return noEnergy(`the energy meter failed: ${errorText(error)}`);
  }
}

/** Measures with a meter of the whole machine. It gives an energy only if the rest of the machine was quiet. */
async function hostEnergy(
  source: EnergySource,
  run: BackToBack,
  windowMs: number,
  clock: Clock,
): Promise<Partial<Timing>> {
  const startMs = clock.nowMs();
  const othersBeforeMs = source.otherProcessorMs() ?? 0;
  const before = await idlePower(source, clock);
  const reading = await measureEnergy(
    () => source.read(),
    run,
    windowMs,
    () => clock.nowMs(),
  );
  await clock.wait(SETTLE_MS);
  const after = await idlePower(source, clock);
  const others = ((source.otherProcessorMs() ?? 0) - othersBeforeMs) / (clock.nowMs() - startMs);
  if (others > MAX_OTHER_LOAD) {
    return noEnergy(
      `other programs used ${others.toFixed(2)} of a processor meanwhile, above ${MAX_OTHER_LOAD}: ` +
        'the meter counts the whole machine',
    );
  }
  const idleW = before === null || after === null ? null : (before + after) / 2;
  const doubts: string[] = [];
  if (reading.ok && before !== null && after !== null) {
    const powerW = (reading.energyMillijoules * reading.iterations) / reading.windowMs;
    if (Math.abs(after - before) > MAX_IDLE_CHANGE * powerW) {
      doubts.push(`the idle power was ${before.toFixed(1)} W before and ${after.toFixed(1)} W after it`);
    }
  }
  return energyFields(reading, { meter: source.name, idlePowerW: idleW, doubts });
}

/** Mean idle power in W; null if the meter does not report power. */
async function idlePower(source: EnergySource, clock: Clock): Promise<number | null> {
  const first = source.read();
  const startMs = clock.nowMs();
  await clock.wait(IDLE_MS);
  const last = source.read();
  if (first.energyMillijoules !== null && last.energyMillijoules !== null) {
    const powerW = (last.energyMillijoules - first.energyMillijoules) / (clock.nowMs() - startMs);
    return powerW >= 0 ? powerW : null;
  }
  return first.powerW === null || last.powerW === null ? null : (first.powerW + last.powerW) / 2;
}

/** For executors that only support timed batches. */
function backToBack(conv: TimedConv, timeMs: number): BackToBack {
  const inner = Math.max(1, Math.round(CHUNK_MS / timeMs));
  return async (onEnded) => {
    for (let ended = 0; onEnded(ended); ended += inner) await conv.timeBatchMs(inner);
  };
}
