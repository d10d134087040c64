import type { Conditions, Measurement, Timing } from '@alphaflops/contracts';
import { flops, macs, specKey } from '@alphaflops/conv';
import type { BenchReport } from './bench.js';
import { histogram } from './histogram.js';

/** The readable output of `alphaflops bench`. */
export function benchText(report: BenchReport): string {
  const { spec, device, protocol, measurement } = report;
  const { timing } = measurement;
  const rows: (readonly [string, string])[] = [
    ['spec', `${specKey(spec)}  (${number(macs(spec) / 1e6)} million multiply-adds)`],
    ['device', `${device.sku}  ${device.uuid}  by ${device.executor}`],
    ['protocol', `${protocol.name} v${protocol.version}, caches ${protocol.mode}`],
    ['outcome', outcomeOf(measurement)],
    ...(timing === null ? [] : timingRows(timing, flops(spec))),
    ...(timing === null ? [] : clockRows(timing)),
    ...(timing === null ? [] : energyRows(timing)),
    ...(protocol.energyWindowMs === undefined || timing?.energy ? [] : [missingEnergy(measurement)]),
    ...(measurement.outcome === 'ok' ? libraryRows(measurement) : []),
    ...(measurement.conditions === null ? [] : conditionRows(measurement.conditions)),
  ];
  const lines = rows.map(([name, value]) => `${name.padEnd(12)}${value}`);
  return [...lines, ...(timing === null ? [] : ['', ...distribution(timing)])].join('\n');
}

function outcomeOf(measurement: Measurement): string {
  return measurement.outcome === 'ok' ? 'ok' : `${measurement.outcome}: ${measurement.reason}`;
}

function timingRows(timing: Timing, work: number): (readonly [string, string])[] {
  const { timeMs, timeMinMs, timeQ25Ms, timeQ75Ms, timeMeanMs, cv, eagerMs } = timing;
  const batches = `${timing.repetitions} batches of ${timing.innerIterations}`;
  return [
    ['time', `${number(timeMs)} ms (median), ${number(work / timeMs / 1e6)} GFLOP/s`],
    ['quartiles', `${number(timeQ25Ms)} – ${number(timeQ75Ms)} ms, least ${number(timeMinMs)} ms`],
    ['mean', `${number(timeMeanMs)} ms, coefficient of variation ${(100 * cv).toFixed(2)} %`],
    ['batches', `${batches} after ${timing.warmUpRuns} runs of warm-up; stopped by ${timing.stoppedBy}`],
    ...(eagerMs === null ? [] : [['eager', `${number(eagerMs)} ms, launched one by one`] as const]),
  ];
}

/** No energy is measured if the time of the convolution is not good. */
function missingEnergy({ outcome }: Measurement): readonly [string, string] {
  return ['energy', `not measured: the outcome is ${outcome}`];
}

function energyRows({ energyMillijoules, energy, timeMs }: Timing): (readonly [string, string])[] {
  if (energy === undefined) return [];
  if (!energy.measured || energyMillijoules === null) {
    return [['energy', `not known: ${energy.measured ? '' : energy.reason}`]];
  }
  const { aboveIdleMillijoules, idlePowerW, integratedMillijoules, meter = 'unnamed' } = energy;
  const above =
    aboveIdleMillijoules == null || idlePowerW == null
      ? ''
      : `, ${number(aboveIdleMillijoules)} mJ above the ${number(idlePowerW)} W of idling`;
  const check =
    integratedMillijoules === null
      ? 'no power readings'
      : `${number(integratedMillijoules)} mJ by the power readings`;
  return [
    ['energy', `${number(energyMillijoules)} mJ, ${number(energyMillijoules / timeMs)} W${above}`],
    ['', `${energy.iterations} runs in ${number(energy.windowMs / 1000)} s by ${meter}; ${check}`],
    ...(energy.doubt === null ? [] : [['', `in doubt: ${energy.doubt}`] as const]),
  ];
}

function libraryRows({
  algorithm,
  workspaceBytes,
}: Extract<Measurement, { outcome: 'ok' }>): (readonly [string, string])[] {
  if (algorithm === null) return [];
  const workspace = workspaceBytes === null ? '' : `, workspace ${number(workspaceBytes / 2 ** 20)} MiB`;
  return [['algorithm', `${algorithm}${workspace}`]];
}

function conditionRows({ after }: { after: Conditions }): (readonly [string, string])[] {
  const { smClockMhz, temperatureC, powerW, throttleReasons, otherProcesses, hostLoad1 } = after;
  const { disturbance } = after;
  const conditions = [
    smClockMhz === null ? '' : `${smClockMhz} MHz`,
    temperatureC === null ? '' : `${temperatureC} °C`,
    powerW === null ? '' : `${number(powerW)} W`,
    otherProcesses === null ? '' : `${otherProcesses} other processes`,
    hostLoad1 === null ? '' : `load of the host ${number(hostLoad1)}`,
    typeof disturbance === 'number' ? `disturbance ${number(100 * disturbance)} %` : '',
    ...throttleReasons,
  ].filter((part) => part !== '');
  return conditions.length === 0 ? [] : [['conditions', conditions.join(', ')]];
}

/** The clock while the batches ran. The text reports it if batches ran at different clocks. */
function clockRows({ batchClocks }: Timing): (readonly [string, string])[] {
  if (batchClocks === undefined) return [];
  const { medianMhz, minMhz, maxMhz } = batchClocks;
  if (minMhz === maxMhz) return [['clock', `${medianMhz} MHz at every batch`]];
  return [['clock', `batches ran at different clocks: ${minMhz} to ${maxMhz} MHz, median ${medianMhz} MHz`]];
}

function distribution({ batchTimesMs }: Timing): string[] {
  return ['ms            batches', ...histogram(batchTimesMs, number)];
}

/** Four significant digits. */
function number(value: number): string {
  return String(Number(value.toPrecision(4)));
}
