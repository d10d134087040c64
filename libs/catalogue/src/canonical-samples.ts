import type { Sample } from '@alphaflops/contracts';
import type { SampleValues } from '@alphaflops/dataset';

/** What has a time, in the columns of the canonical CSV. */
export async function* measured(samples: AsyncIterable<Sample>): AsyncGenerator<SampleValues> {
  for await (const { spec, outcome, timing, conditions, kernel, workspaceBytes } of samples) {
    if (outcome !== 'ok' || timing === null) continue;
    const known = {
      time_min_ms: timing.timeMinMs,
      time_q25_ms: timing.timeQ25Ms,
      time_q75_ms: timing.timeQ75Ms,
      repetitions: timing.repetitions,
      inner_iterations: timing.innerIterations,
      eager_ms: timing.eagerMs,
      energy_mj: timing.energyMj,
      energy_meter: timing.energy?.measured === true ? timing.energy.meter : undefined,
      sm_clock_mhz: conditions?.after.smClockMhz,
      temperature_c: conditions?.after.temperatureC,
      power_w: conditions?.after.powerW,
      kernel: kernel?.name,
      workspace_bytes: workspaceBytes,
    };
    const extras = Object.fromEntries(
      Object.entries(known).filter(([, value]) => value !== null && value !== undefined),
    );
    yield { spec, timeMs: timing.timeMs, extras };
  }
}
