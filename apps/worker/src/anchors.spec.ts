import { generateKeyPairSync } from 'node:crypto';
import type { Measurement, MeasureResult } from '@alphaflops/contracts';
import { specKey } from '@alphaflops/conv';
import { areAnchorsSignedBy } from '@alphaflops/provenance';
import { Anchors } from './anchors.js';
import { exampleJob } from './example-job.spec-helper.js';
import { Log } from './log.js';

const keys = generateKeyPairSync('ed25519');
const publicKey = keys.publicKey.export({ format: 'jwk' }).x ?? '';
const never = new AbortController().signal;
const settings = { count: 4, rerun: 2, everyBatches: 3 };

/** A device whose anchors take `timeMs`, or fail if it is null, with a record of the requests. */
function device(changes: Partial<typeof settings> = {}, kind: 'cpu' | 'gpu' = 'gpu') {
  const state = { timeMs: 1 as number | null, requested: [] as string[], lines: [] as string[], batch: 0 };
  const anchors = new Anchors({
    settings: { ...settings, ...changes },
    kind,
    origin: { workerId: 'w1', deviceId: 'd1', signingKey: keys.privateKey },
    log: new Log({ level: 'log', json: false }, (line) => state.lines.push(line)),
    measurer: {
      async *measureEach(specs) {
        for (const spec of specs) {
          state.requested.push(specKey(spec));
          const { timeMs } = state;
          yield await Promise.resolve(
            (timeMs === null
              ? { outcome: 'timeout', timing: null }
              : { outcome: 'ok', timing: { timeMs } }) as Measurement,
          );
        }
      },
    },
  });
  /** Measures the next batches, and returns for each the batches that it reports as drifted. */
  const batches = async (count: number) => {
    const reports: (number[] | null)[] = [];
    for (let i = 0; i < count; i++) {
      const job = exampleJob({ batchIndex: state.batch++ });
      const { anchors: run } = await anchors.around(job, never, () => {
        state.requested.push('batch');
        return Promise.resolve({} as MeasureResult);
      });
      if (run !== undefined) {
        const { signature, ...signed } = run;
        const by = { workerId: 'w1', deviceId: 'd1' };
        expect(areAnchorsSignedBy({ ...signed, ...by }, signature, publicKey)).toBe(true);
        expect(areAnchorsSignedBy({ ...signed, ...by, deviceId: 'd2' }, signature, publicKey)).toBe(false);
        expect(areAnchorsSignedBy({ ...signed, ...by, ratios: [2] }, signature, publicKey)).toBe(false);
      }
      reports.push(run === undefined ? null : run.batches.map(({ batchIndex }) => batchIndex));
    }
    return reports;
  };
  return { state, anchors, batches };
}

describe('anchors of a device', () => {
  it('are timed before the first batch, and then some of them in turn after every few batches', async () => {
    const { state, batches } = device();
    expect(await batches(7)).toEqual([null, null, null, null, null, null, null]);
    const [a, b, c, d] = state.requested;
    expect(new Set([a, b, c, d]).size).toBe(4);
    expect(state.requested.slice(4)).toEqual([
      'batch',
      'batch',
      'batch',
      a,
      b,
      'batch',
      'batch',
      'batch',
      c,
      d,
      'batch',
    ]);
    expect(state.lines).toEqual([
      expect.stringMatching(/anchors hold .*change=0/),
      expect.stringMatching(/hold/),
    ]);
  });

  it('name, with two results, the batches that a drifted device has measured since the last good anchors', async () => {
    const { state, batches } = device();
    await batches(3);
    await batches(1);
    state.timeMs = 1.04;
    expect(await batches(4)).toEqual([null, [3, 4, 5], [3, 4, 5], null]);
    expect(state.lines.at(-1)).toMatch(/warn: The device has drifted.*anchors=2 {2}change=0\.04/);
    // The next run is compared with the new state of the device.
    expect(await batches(1)).toEqual([null]);
    expect(state.lines.at(-1)).toMatch(/anchors hold/);
    state.timeMs = 1;
    expect((await batches(3)).at(-1)).toEqual([9, 10, 11]);
  });

  it('treat a change of 10 % as noise on host processors', async () => {
    const { state, batches } = device({}, 'cpu');
    await batches(1);
    state.timeMs = 1.09;
    expect(await batches(2)).toEqual([null, null]);
    state.timeMs = 1.11;
    expect((await batches(3)).at(-1)).toEqual([3, 4, 5]);
  });

  it('try again after the next batch when none of them could be measured', async () => {
    const { state, batches } = device();
    await batches(1);
    state.timeMs = null;
    expect(await batches(3)).toEqual([null, null, null]);
    state.timeMs = 2;
    expect(await batches(1)).toEqual([[0, 1, 2, 3, 4]]);
  });

  it('cost nothing when they are disabled', async () => {
    const { state, batches } = device({ count: 0 });
    await batches(5);
    expect(state.requested).toEqual(['batch', 'batch', 'batch', 'batch', 'batch']);
  });
});
