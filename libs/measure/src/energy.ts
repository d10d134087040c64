import type { EnergyCheck, Protocol, Timing } from '@alphaflops/contracts';

/** How long a convolution runs back to back for its energy: counters advance about every 100 ms. */
export const ENERGY_WINDOW_MS = 2000;

/** Counter and integrated power readings that differ by more than this share put the energy in doubt. */
export const MAX_ENERGY_DISAGREEMENT = 0.1;

/** What a convolution took, or why it is not known. Never 0 for want of a counter. */
export type EnergyReading =
  | {
      readonly ok: true;
      /** Energy of one convolution by the total counter, idle power included. */
      readonly energyMj: number;
      /** The same by integrating the power readings. Null if not told. */
      readonly integratedMj: number | null;
      /** Time between the two advances of the counter that bound the window. */
      readonly windowMs: number;
      readonly iterations: number;
    }
  | { readonly ok: false; readonly reason: string };

/** As a Timing keeps it. `throttled`: why the device was slower than it can be in the window, or null. */
export function energyFields(
  reading: EnergyReading,
  throttled: string | null,
): Pick<Timing, 'energyMj'> & { energy: EnergyCheck } {
  if (!reading.ok)
    return { energyMj: null, energy: { measured: false, reason: reading.reason.slice(0, 400) } };
  const { energyMj, integratedMj, windowMs, iterations } = reading;
  if (!(energyMj > 0)) {
    const reason = `the counter of the total energy says ${energyMj} mJ for ${windowMs} ms of work`;
    return { energyMj: null, energy: { measured: false, reason } };
  }
  const doubts = [disagreement(energyMj, integratedMj), throttled].filter((doubt) => doubt !== null);
  const doubt = doubts.length === 0 ? null : doubts.join('; ').slice(0, 400);
  // A power reading of 0 tells nothing either.
  const told = integratedMj !== null && integratedMj > 0 ? integratedMj : null;
  return { energyMj, energy: { measured: true, windowMs, iterations, integratedMj: told, doubt } };
}

/** The protocol with the energy measured as well. */
export function withEnergy(protocol: Protocol): Protocol {
  return { ...protocol, energyWindowMs: ENERGY_WINDOW_MS };
}

function disagreement(energyMj: number, integratedMj: number | null): string | null {
  if (integratedMj === null) return null;
  const share = integratedMj / energyMj - 1;
  if (Math.abs(share) <= MAX_ENERGY_DISAGREEMENT) return null;
  return `the integrated power readings differ by ${(100 * share).toFixed(0)} % from the counter`;
}
