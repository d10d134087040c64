import { z } from 'zod';

/**
 * Energies by their names, with the names that they had before, which read as megajoules. Stored samples, results of
 * older workers and programs that measure have the former names.
 */
const FORMER_NAMES = {
  energyMillijoules: 'energyMj',
  integratedMillijoules: 'integratedMj',
  aboveIdleMillijoules: 'aboveIdleMj',
} as const;
const PRESENT_NAMES = Object.fromEntries(
  Object.entries(FORMER_NAMES).map(([present, former]) => [former, present]),
);

/** @param value a timing, or the reply of a program; returned as it is where it has no former name */
export function withPresentEnergyNames<T>(value: T): T {
  return isObject(value) && FORMER_NAMES.energyMillijoules in value ? renamed(value, PRESENT_NAMES) : value;
}

/**
 * A timing as workers sign it: with the former names, so that a signature holds whatever the version that checks it.
 *
 * @param timing with the present names, or null
 */
export function withFormerEnergyNames<T>(timing: T): T {
  return isObject(timing) ? renamed(timing, FORMER_NAMES) : timing;
}

/** Reads what `schema` reads, and the former names of energies as well. */
export function acceptingFormerEnergyNames<Schema extends z.ZodType>(schema: Schema) {
  return z.preprocess(withPresentEnergyNames, schema);
}

function renamed<T extends object>(value: T, names: Readonly<Record<string, string>>): T {
  const entries = Object.entries(value).map(([name, field]: [string, unknown]) => [
    names[name] ?? name,
    name === 'energy' && isObject(field) ? renamed(field, names) : field,
  ]);
  return Object.fromEntries(entries) as T;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
