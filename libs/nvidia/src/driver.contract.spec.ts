import { CudaDriver } from './driver.js';
import { describeGpu, GpuConditions } from './gpu.js';
import { Library } from './library.js';
import { Nvml } from './nvml.js';
import { buildFakeGpu, FIRST_GPU, SECOND_GPU } from './testing.js';

const fake = buildFakeGpu();
if (fake === null) it.skip('gcc is not installed: there is no GPU to ask', () => undefined);
afterAll(() => fake?.remove());

(fake === null ? describe.skip : describe)('the driver', () => {
  const open = (name: string) => Library.open(`${fake?.libraryPath[0] ?? ''}/${name}`);

  it('says which devices there are, and NVML knows them by their place on the bus', () => {
    const driver = new CudaDriver(open('libcuda.so.1'));
    expect(driver.version).toBe('13.0');
    expect(driver.deviceCount).toBe(2);
    const nvml = new Nvml(open('libnvidia-ml.so.1'));
    const gpus = [0, 1].map((ordinal) =>
      describeGpu(nvml, driver.pciBusId(ordinal), driver.attribute(ordinal, 'smCount')),
    );
    expect(gpus.map(({ uuid }) => uuid)).toEqual([FIRST_GPU, SECOND_GPU]);
    expect(gpus[0]).toMatchObject({
      sku: 'Fake GPU',
      smCount: 7,
      pciBusId: '0000:01:00.0',
      migEnabled: null,
    });
    expect(new GpuConditions(nvml, nvml.deviceAt('0000:01:00.0')).read()).toMatchObject({
      smClockMhz: 1980,
      temperatureC: 41,
      otherProcesses: 2,
    });
    nvml.shutdown();
    expect(fake?.violations()).toBe('');
  });

  it('names what is wrong in its own words', () => {
    fake?.fault('no-device');
    expect(() => new CudaDriver(open('libcuda.so.1'))).toThrow(
      'cuInit: CUDA_ERROR_NO_DEVICE (no CUDA-capable device is detected)',
    );
    fake?.fault('');
    const driver = new CudaDriver(open('libcuda.so.1'));
    expect(() => driver.pciBusId(2)).toThrow(/^cuDeviceGet: /);
  });
});
