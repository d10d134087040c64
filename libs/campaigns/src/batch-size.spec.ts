import type { Sample } from '@alphaflops/contracts';
import { batchSize, msPerSpec } from './batch-size.js';

const sample = (batchIndex: number, startedMs: number, changes: Partial<Sample> = {}): Sample =>
  ({
    deviceId: 'd1',
    targetId: 't',
    batchIndex,
    attempt: 1,
    startedAt: new Date(startedMs).toISOString(),
    ...changes,
  }) as Sample;

describe('the size of a batch', () => {
  const size = (specMs: number, slotsPerDevice: number) =>
    batchSize({ specMs, slotsPerDevice, mostSpecs: 1_000 });

  it('lasts ten seconds if there is work for hours', () => {
    expect(size(20, 1e6)).toBe(500);
    expect(size(400, 1e6)).toBe(25);
    expect(size(30_000, 1e6)).toBe(1);
    expect(size(0.1, 1e6)).toBe(1_000);
  });

  it('is smaller if there is little work, so that all devices end at about the same time', () => {
    expect(size(20, 3_200)).toBe(100);
    // But a batch lasts at least 300 ms, if that is less than ten seconds.
    expect(size(20, 32)).toBe(15);
    expect(size(1_000, 32)).toBe(1);
  });
});

describe('the time of a spec', () => {
  it('is the time from one start to the next within a batch of one device and attempt', () => {
    expect(
      msPerSpec([
        ...[sample(0, 1_000), sample(0, 1_030), sample(0, 1_050)],
        ...[sample(1, 9_000), sample(1, 9_070)],
        sample(2, 20_000),
        sample(0, 50_000, { deviceId: 'd2' }),
        sample(0, 60_000, { attempt: 2 }),
        sample(0, 70_000, { targetId: 'u' }),
      ]),
    ).toBe((50 + 70) / 3);
  });

  it('is unknown for single specs, and for specs that no worker measured', () => {
    expect(msPerSpec([])).toBeNull();
    expect(msPerSpec([sample(0, 1_000), sample(1, 2_000)])).toBeNull();
    expect(
      msPerSpec([sample(0, 1_000, { deviceId: null }), sample(0, 2_000, { deviceId: null })]),
    ).toBeNull();
    expect(msPerSpec([sample(0, 1_000), sample(0, 1_000)])).toBe(0.1);
  });
});
