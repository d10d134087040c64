import { type Device, type MeasureJob, type MeasureResult, SampleSchema } from '@alphaflops/contracts';
import { CONV_SPEC_DEFAULTS } from '@alphaflops/conv';
import { protocolNamed } from '@alphaflops/measure';
import { samplesOf, samplesOfFailure } from './samples.js';

const spec = { ...CONV_SPEC_DEFAULTS, height: 8, width: 8, cin: 4, cout: 4, kernel_h: 3, kernel_w: 3 };
const now = '2026-01-01T00:00:00.000Z';
const job: MeasureJob = {
  campaignId: 'c-1',
  targetId: 'a-device-class',
  batchIndex: 2,
  protocol: protocolNamed('cpu'),
  slots: [4, 5].map((specIndex) => ({ specIndex, replicate: 0, spec })),
};
const device: Device = {
  id: 'device-1',
  uuid: 'u',
  sku: 's',
  deviceClassId: 'a-device-class',
  workerId: 'worker-1',
  provenanceId: 'p',
  createdAt: now,
  updatedAt: now,
};
const unsupported = { outcome: 'unsupported' as const, reason: 'no f16', timing: null, conditions: null };
const result = (specIndices: number[]): MeasureResult => ({
  workerId: 'worker-1',
  deviceId: 'device-1',
  attempt: 3,
  provenance: {
    schema: 'alphaflops.provenance/1',
    device: {},
    executor: { name: 'fake', version: '1' },
    libraries: {},
    mathMode: 'none',
    worker: { version: '1', commit: null, dirty: null },
    host: { hostname: 'h', cpu: 'c', os: 'o', kernel: 'k', node: 'n' },
  },
  results: specIndices.map((specIndex) => ({
    specIndex,
    replicate: 0,
    startedAt: now,
    measurement: unsupported,
    signature: 'signed',
  })),
});

describe('samples of a batch', () => {
  it('are one per requested slot, for any result of the worker', () => {
    const samples = samplesOf(job, result([5, 77]), device, now);
    expect(samples.map(({ specIndex, outcome, reason }) => [specIndex, outcome, reason])).toEqual([
      [4, 'executor-crashed', 'the worker returned nothing for this spec'],
      [5, 'unsupported', 'no f16'],
    ]);
    for (const sample of samples) {
      expect(SampleSchema.parse(sample)).toEqual(sample);
      expect(sample.signature).toBe(sample.specIndex === 5 ? 'signed' : null);
      expect(sample).toMatchObject({ attempt: 3, batchIndex: 2, deviceId: 'device-1', workerId: 'worker-1' });
    }
    expect(new Set(samples.map(({ id }) => id)).size).toBe(2);
  });

  it('name the reason when no worker finished it', () => {
    const samples = samplesOfFailure(job, 'a-device-class', 3, 'x'.repeat(5000), now);
    expect(samples.map(({ specIndex }) => specIndex)).toEqual([4, 5]);
    for (const sample of samples) {
      expect(SampleSchema.parse(sample)).toEqual(sample);
      expect(sample.reason).toMatch(/^the batch failed after 3 attempts: x/);
      expect(sample.deviceId).toBeNull();
    }
  });
});
