import type { EnergyCheck, Protocol, Timing, Result } from '@alphaflops/contracts';

/** How long a convolution runs back to back for its energy, in ms: NVML's counter advances about every 100 ms. */
export const ENERGY_WINDOW_MS = 2000;

/** Counter and integrated power readings that differ by more than this share put the energy in doubt. */
export const MAX_ENERGY_DISAGREEMENT = 0.1;

/** Energy of one convolution, or why it is not known. Never 0 for want of a counter. */
export type EnergyReading = Result<{
  /** Energy of one convolution in mJ, idle power included. */
  energyMillijoules: number;
  /** The same by integrating the power readings beside a counter. Null without such readings. */
  integratedMillijoules: number | null;
  /** Time between the two advances of the counter that bound the window, in ms. */
  windowMs: number;
  /** Convolutions that ended inside the window. */
  iterations: number;
}>;

/** What is known beside the reading itself. */
export interface EnergyCircumstances {
  /** Name of the meter. */
  readonly meter: string;
  /** Power of the device while it computes nothing, in W; null where not known. */
  readonly idlePowerW: number | null;
  /** Why the energy may be off, each in words. */
  readonly doubts: readonly string[];
}

/**
 * A reading as a Timing keeps it.
 *
 * @param reading millijoules of one convolution
 * @returns the energy, with a doubt where counter and integrated power disagree by more than {@link MAX_ENERGY_DISAGREEMENT}
 */
export function energyFields(
  reading: EnergyReading,
  { meter, idlePowerW, doubts }: EnergyCircumstances,
): Pick<Timing, 'energyMillijoules'> & { energy: EnergyCheck } {
  if (!reading.ok) return noEnergy(reading.reason);
  const { energyMillijoules, windowMs, iterations } = reading;
  if (!(energyMillijoules > 0)) {
    return noEnergy(
      `the energy meter says ${energyMillijoules} mJ for a convolution, over ${windowMs.toFixed(0)} ms of work`,
    );
  }
  // A power of 0 beside a counter that advances is no reading.
  const integratedMillijoules =
    reading.integratedMillijoules !== null && reading.integratedMillijoules > 0
      ? reading.integratedMillijoules
      : null;
  const all = [disagreement(energyMillijoules, integratedMillijoules), ...doubts].filter(
    (doubt) => doubt !== null,
  );
  const doubt = all.length === 0 ? null : all.join('; ').slice(0, 400);
  const aboveIdleMillijoules =
    idlePowerW === null ? null : energyMillijoules - (idlePowerW * windowMs) / iterations;
  return {
    energyMillijoules,
    energy: {
      measured: true,
      windowMs,
      iterations,
      integratedMillijoules,
      meter,
      idlePowerW,
      aboveIdleMillijoules,
      doubt,
    },
  };
}

/**
 * No energy, and why.
 *
 * @param reason in words; its first 400 characters are kept
 */
export function noEnergy(reason: string): Pick<Timing, 'energyMillijoules'> & { energy: EnergyCheck } {
  return { energyMillijoules: null, energy: { measured: false, reason: reason.slice(0, 400) } };
}

/**
 * The protocol with the energy measured as well.
 *
 * @returns the protocol with a window of {@link ENERGY_WINDOW_MS}
 */
export function withEnergy(protocol: Protocol): Protocol {
  return { ...protocol, energyWindowMs: ENERGY_WINDOW_MS };
}

function disagreement(energyMillijoules: number, integratedMillijoules: number | null): string | null {
  if (integratedMillijoules === null) return null;
  const share = integratedMillijoules / energyMillijoules - 1;
  if (Math.abs(share) <= MAX_ENERGY_DISAGREEMENT) return null;
  return `the integrated power readings differ by ${(100 * share).toFixed(0)} % from the counter`;
}
