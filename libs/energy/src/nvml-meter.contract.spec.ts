/** NVML's meter with the fake GPU of the tests. */
import { energyMeterConformance } from '@alphaflops/executor/testing';
import { buildFakeGpu, FIRST_GPU, type FakeGpu } from '@alphaflops/nvidia/testing';
import { openNvml } from './nvml-meter.js';

const built = buildFakeGpu();
const withGcc = built === null ? describe.skip : describe;
if (built === null) it.skip('gcc is not installed: the fake GPU cannot be built', () => undefined);
// Null is never used, because all tests that use it are then skipped.
const gpu = built as FakeGpu;

withGcc('NVML meter', () => {
  afterEach(() => {
    gpu.fault('');
    expect(gpu.violations()).toBe('');
  });
  afterAll(() => {
    gpu.remove();
  });
  const open = (uuid = FIRST_GPU) => openNvml(uuid, gpu.libraryPath);

  describe('conforms', () => {
    energyMeterConformance({ open, countsHost: false });
  });

  it('counts mJ, and also gives the power', () => {
    const opened = open();
    if (!opened.ok) throw new Error(opened.reason);
    expect(opened.meter.description).toMatchObject({ name: 'nvml-total-energy', resolutionMj: 1 });
    expect(opened.meter.read()).toEqual({ energyMillijoules: 123456789, powerW: 300 });
    opened.meter.close();
  });

  it('integrates the power of a GPU that has no counter', () => {
    gpu.fault('no-energy');
    const opened = open();
    if (!opened.ok) throw new Error(opened.reason);
    expect(opened.meter.description).toMatchObject({ name: 'nvml-power', method: 'power' });
    expect(opened.meter.read()).toMatchObject({ energyMillijoules: null });
    opened.meter.close();
  });

  it.each([
    ['GPU-00000000-0000-0000-0000-000000000000', /knows no GPU GPU-0000/],
    ['MIG-fa4e0000-0000-0000-0000-000000000000', /MIG/],
  ])('refuses %s', (uuid, reason) => {
    expect(open(uuid)).toMatchObject({ ok: false, reason: expect.stringMatching(reason) });
  });

  it('refuses the slices of a GPU that MIG has split', () => {
    gpu.fault('mig');
    expect(open()).toMatchObject({ ok: false, reason: expect.stringMatching(/slices/) });
  });

  it('reports a missing driver', () => {
    expect(openNvml(FIRST_GPU, ['/nowhere'])).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/libnvidia-ml.so.1 cannot be opened/),
    });
  });
});
