import type { EnergyCheck, Protocol, Timing, Result } from '@alphaflops/contracts';

/** How long a convolution runs back to back for its energy, in ms: NVML's counter advances about every 100 ms. */
export const ENERGY_WINDOW_MS = 2000;

/** If the counter and the integrated power readings differ by more than this share, the energy is in doubt. */
export const MAX_ENERGY_DISAGREEMENT = 0.1;

/** Energy of one convolution, or the reason why it is unknown. It is never 0 because of a missing counter. */
export type EnergyReading = Result<{
  /** Energy of one convolution in mJ, idle power included. */
  energyMillijoules: number;
  /** The energy from the integrated power readings, in addition to a counter. Null without such readings. */
  integratedMillijoules: number | null;
  /** Time between the two advances of the counter that bound the window, in ms. */
  windowMs: number;
  /** Convolutions that ended inside the window. */
  iterations: number;
}>;

/** Facts in addition to the reading itself. */
export interface EnergyCircumstances {
  /** Name of the meter. */
  readonly meter: string;
  /** Power of the idle device in W; null if unknown. */
  readonly idlePowerW: number | null;
  /** Reasons why the energy may be wrong. */
  readonly doubts: readonly string[];
}

/** * A reading in the form of a Timing. *
 * @param reading millijoules of one convolution
 * @returns the energy, with a doubt if counter and integrated power differ by more than {@link MAX_ENERGY_DISAGREEMENT}
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
  // A power of 0 with a counter that advances is not a valid reading.
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

/** * A missing energy, with the reason. *
 * @param reason only its first 400 characters are stored
 */
export function noEnergy(reason: string): Pick<Timing, 'energyMillijoules'> & { energy: EnergyCheck } {
  return { energyMillijoules: null, energy: { measured: false, reason: reason.slice(0, 400) } };
}

/** * The protocol with an additional measurement of energy. *
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
