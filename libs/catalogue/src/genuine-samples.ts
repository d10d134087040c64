import type { Sample } from '@alphaflops/contracts';
import { isSignedBy } from '@alphaflops/provenance';
import { type FleetStore } from '@alphaflops/store';

/** Number of signatures that other threads check at the same time. */
const AT_ONCE = 256;

/**
 * Samples in their order, each with the result of its signature check. A sample without a signature, such as an imported
 * one, needs no check. docs/decisions/0011-sealed-batches.md
 */
export async function* withGenuineness(
  samples: AsyncIterable<Sample>,
  fleet: FleetStore,
): AsyncIterable<[sample: Sample, isGenuine: boolean]> {
  const keys = new Map<string, Promise<string | null>>();
  const keyOf = (workerId: string) => {
    const known = keys.get(workerId) ?? fleet.worker(workerId).then((worker) => worker?.publicKey ?? null);
    keys.set(workerId, known);
    return known;
  };
  const judged = async (sample: Sample): Promise<[Sample, boolean]> => {
    if (sample.signature === null) return [sample, true];
    const key = await keyOf(sample.workerId ?? '');
    return [sample, key !== null && (await isSignedBy(sample, key))];
  };
  let pending: Sample[] = [];
  for await (const sample of samples) {
    if (pending.push(sample) < AT_ONCE) continue;
    yield* await Promise.all(pending.map(judged));
    pending = [];
  }
  yield* await Promise.all(pending.map(judged));
}
