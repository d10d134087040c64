import { generateKeyPairSync } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { Measurement, Provenance } from '@alphaflops/contracts';
import { type ConvSpec, specKey } from '@alphaflops/conv';
import { fieldsOfMeasurement, isSignedBy, provenanceId } from '@alphaflops/provenance';
import { runBatch, type SpecMeasurer } from './batch.js';
import { exampleJob, exampleSpec } from './example-job.spec-helper.js';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const key = publicKey.export({ format: 'jwk' }).x ?? '';
const provenance = { schema: 'alphaflops.provenance/1', host: {} } as unknown as Provenance;
const origin = { workerId: 'w1', deviceId: 'd1', provenance, signingKey: privateKey };

const job = (count: number) =>
  exampleJob({
    slots: Array.from({ length: count }, (_, i) => ({
      specIndex: 10 + i,
      replicate: 0,
      spec: exampleSpec(8 + i),
    })),
  });

/** The outcome of a spec, which its width selects. */
const measured = (width: number): Measurement => ({
  outcome: 'unsupported',
  reason: `width ${width}`,
  timing: null,
  conditions: null,
});

/** Measures one spec after the other. */
const measurerBy = (measure: (spec: ConvSpec) => Measurement | Promise<Measurement>): SpecMeasurer => ({
  async *measureEach(specs) {
    for (const spec of specs) yield await measure(spec);
  },
});

function context() {
  const abort = new AbortController();
  let requested = 0;
  const takeNext = () => (requested += 1);
  return { abort, requested: () => requested, context: { attempt: 2, signal: abort.signal, takeNext } };
}

describe('a batch', () => {
  it('is measured in order, and signed for its place', async () => {
    const seen: number[] = [];
    const measurer = measurerBy(({ width }) => {
      seen.push(width);
      return measured(width);
    });
    const batch = job(3);
    const result = await runBatch(batch, context().context, origin, measurer);
    expect(seen).toEqual([8, 9, 10]);
    expect(result.results).toMatchObject([
      { specIndex: 10, measurement: { reason: 'width 8' } },
      { specIndex: 11, measurement: { reason: 'width 9' } },
      { specIndex: 12, measurement: { reason: 'width 10' } },
    ]);
    const { campaignId, targetId, batchIndex, protocol } = batch;
    for (const [
      at,
      { specIndex, replicate, startedAt, measurement, signature },
    ] of result.results.entries()) {
      const sample = {
        ...{ campaignId, targetId, batchIndex, attempt: 2, specIndex, replicate, startedAt, signature },
        ...{ workerId: 'w1', deviceId: 'd1', provenanceId: provenanceId(provenance) },
        protocol: { name: protocol.name, version: protocol.version },
        specKey: specKey(exampleSpec(8 + at)),
        ...fieldsOfMeasurement(measurement),
      };
      expect(await isSignedBy(sample, key)).toBe(true);
    }
  });

  it('requests the next one when it is almost complete, and at once when it is a single spec', async () => {
    const quick = measurerBy(({ width }) => measured(width));
    const single = context();
    await runBatch(job(1), single.context, origin, quick);
    expect(single.requested()).toBe(1);

    const when: number[] = [];
    let done = 0;
    const slow = measurerBy(async ({ width }) => {
      await setTimeout(150);
      done += 1;
      return measured(width);
    });
    await runBatch(job(8), { ...context().context, takeNext: () => when.push(done) }, origin, slow);
    // Four slots last 600 ms or longer, so that at most three are left.
    expect(when[0]).toBeGreaterThanOrEqual(5);
    expect(when[0]).toBeLessThan(8);
  });

  it('ends when its lease is lost', async () => {
    const { abort, context: taken } = context();
    const measurer = measurerBy(({ width }) => {
      abort.abort();
      return measured(width);
    });
    await expect(runBatch(job(3), taken, origin, measurer)).rejects.toThrow('taken away');
  });
});
