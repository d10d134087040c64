import { ProvenanceSchema, SampleSchema, type Sample } from '@alphaflops/contracts';
import { CONV_SPEC_DEFAULTS, specKey } from '@alphaflops/conv';

const NOON = '2026-03-01T12:00:00.000Z';
const spec = { ...CONV_SPEC_DEFAULTS, height: 8, width: 8, cin: 4, cout: 4, kernel_h: 3, kernel_w: 3 };
const conditions = {
  ...{ smClockMhz: null, maxSmClockMhz: null, temperatureC: 51.5, powerW: null },
  ...{ throttleReasons: [], otherProcesses: null, hostLoad1: 0.1 + 0.2 },
};
const timing = {
  ...{ timeMs: 1 / 3, timeMinMs: 0.3, timeQ25Ms: 0.31, timeQ75Ms: 0.35, timeMeanMs: 1 / 3, cv: 0.001 },
  ...{ repetitions: 3, innerIterations: 12, warmUpRuns: 3, batchTimesMs: [0.3, 1 / 3, 0.35] },
  ...{ stoppedBy: 'relative-standard-error', eagerMs: null, energyMillijoules: null },
};

export const provenance = ProvenanceSchema.parse({
  schema: 'alphaflops.provenance/1',
  device: { uuid: 'cpu-0f3a', memoryBytes: 8_000_000_000, ecc: false, l2Bytes: null },
  executor: { name: 'tfjs-wasm', version: '4.22.0' },
  libraries: { '@tensorflow/tfjs-core': '4.22.0' },
  mathMode: 'f32',
  worker: { version: '0.1.0', commit: null, dirty: null },
  host: { hostname: 'node-1', cpu: 'a “fast” CPU', os: 'Debian 12', kernel: '6.1.0', node: '20.20.2' },
});

/** A sample with a timing when its outcome is ok, without one otherwise. */
export function buildSample(overrides: Partial<Sample> = {}): Sample {
  const outcome = overrides.outcome ?? 'ok';
  return SampleSchema.parse({
    ...{ id: 'sample-a', campaignId: 'campaign-a', targetId: 'class-a', specIndex: 0, replicate: 0 },
    ...{
      attempt: 1,
      batchIndex: 0,
      specKey: specKey({ ...spec, cin: 4 + (overrides.specIndex ?? 0) }),
      spec,
    },
    ...{ deviceId: 'device-a', deviceClassId: 'class-a', workerId: 'worker-a', provenanceId: 'a'.repeat(64) },
    ...{ protocol: { name: 'cpu', version: 1 }, outcome, reason: outcome === 'ok' ? null : outcome },
    timing: outcome === 'ok' ? timing : null,
    conditions: { before: conditions, after: { ...conditions, throttleReasons: ['thermal'] } },
    ...{ algorithm: null, workspaceBytes: null, startedAt: NOON, recordedAt: NOON },
    ...overrides,
  });
}
