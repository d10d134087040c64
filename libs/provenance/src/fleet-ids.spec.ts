import { type DeviceDescription, IdSchema } from '@alphaflops/contracts';
import { deviceClassOf, deviceOf } from './fleet-ids.js';

const now = '2026-01-01T00:00:00.000Z';
const description = (
  changes: Partial<DeviceDescription> = {},
  libraries = { cudnn: '9.1' },
): DeviceDescription => ({
  uuid: 'GPU-1',
  sku: 'NVIDIA H100 80GB HBM3',
  kind: 'gpu',
  executor: 'cudnn',
  memoryBytes: 8e10,
  smCount: 132,
  ...changes,
  provenance: {
    schema: 'alphaflops.provenance/1',
    device: {},
    executor: { name: 'cudnn', version: '1' },
    libraries,
    mathMode: 'tf32',
    worker: { version: '1', commit: null, dirty: null },
    host: { hostname: 'h', cpu: 'c', os: 'o', kernel: 'k', node: 'n' },
  },
});

describe('ids of devices and classes', () => {
  it('put devices of one type into one class, independent of the machine', () => {
    const other = description({ uuid: 'GPU-2' });
    other.provenance.host.hostname = 'another';
    const [a, b] = [deviceClassOf(description(), now), deviceClassOf(other, now)];
    expect(a.id).toBe(b.id);
    expect(a.id).toMatch(/^cudnn-nvidia-h100-80gb-hbm3-[0-9a-f]{8}$/);
    expect(deviceOf(description(), a.id, 'w', now).id).not.toBe(deviceOf(other, b.id, 'w', now).id);
  });

  it('give another class for another library version, but not another device', () => {
    const updated = description({}, { cudnn: '9.2' });
    const [a, b] = [deviceClassOf(description(), now), deviceClassOf(updated, now)];
    expect(a.id).not.toBe(b.id);
    expect(deviceOf(description(), a.id, 'w', now).id).toBe(deviceOf(updated, b.id, 'w2', now).id);
  });

  it('are valid for any name', () => {
    for (const sku of ['', '///', 'Ω 9000 — “pro”', 'x'.repeat(200)]) {
      const made = deviceClassOf(description({ sku, executor: 'e' }), now);
      expect(IdSchema.safeParse(made.id).success).toBe(true);
    }
  });
});
