import type { Provenance } from '@alphaflops/contracts';
import { type MachineSettings, PREFERRED_EXECUTORS, referenceOf } from './executors.js';
import { probe, type Probed, probePreferred } from './probe.js';

/**
 * Devices of the named executors, or of the best executor for this machine.
 * @param names null: the first preferred executor that works, and `process` if it has a program
 * @throws WorkerError `no-device`, with the reason of every executor
 */
export async function probeNamed(
  names: readonly string[] | null,
  machine: MachineSettings,
  worker: Provenance['worker'],
): Promise<Probed> {
  const referencesOf = (executors: readonly string[]) =>
    executors.map((executor) => referenceOf(executor, machine));
  if (names !== null) return await probe(referencesOf(names), worker);
  const further = machine.processCommand === null ? [] : ['process'];
  return await probePreferred(referencesOf(PREFERRED_EXECUTORS), referencesOf(further), worker);
}
