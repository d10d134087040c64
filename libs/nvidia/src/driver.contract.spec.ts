import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { CudaDriver } from './driver.js';
import { describeGpu, GpuConditions } from './gpu.js';
import { Library } from './library.js';
import { Nvml } from './nvml.js';
import { buildFakeGpu, FIRST_GPU, SECOND_GPU } from './testing.js';
import { cudaVersionText, cudnnVersionText, loadedVersions } from './versions.js';

const fake = buildFakeGpu();
if (fake === null) it.skip('gcc is not installed: the fake GPU cannot be built', () => undefined);
afterAll(() => fake?.remove());

(fake === null ? describe.skip : describe)('the driver', () => {
  const open = (name: string) => Library.open(`${fake?.libraryPath[0] ?? ''}/${name}`);

  it('lists the devices, and NVML finds them by their bus id', () => {
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
    expect(nvml.deviceWithUuid(SECOND_GPU)).toBe(nvml.deviceAt('0000:02:00.0'));
    expect(nvml.deviceWithUuid('GPU-0')).toBeNull();
    expect(nvml.deviceWithUuid('no-such-device')).toBeNull();
    nvml.shutdown();
    expect(fake?.violations()).toBe('');
  });

  it('reports the versions of libraries that another module has loaded', () => {
    const [folder = ''] = fake?.libraryPath ?? [];
    // A link would have the name of its target.
    for (const name of ['libcudart.so.11.0', 'libcudnn.so.8']) {
      copyFileSync(join(folder, 'libfakegpu.so'), join(folder, name));
      Library.find(name, ['/no/such/folder', folder]);
    }
    expect(loadedVersions()).toEqual({ cuda: '12.9', cudnn: '9.19.0' });
    expect([cudnnVersionText(8902), cudnnVersionText(90200), cudaVersionText(11020)]).toEqual([
      '8.9.2',
      '9.2.0',
      '11.2',
    ]);
  });

  it('gives the error texts of the libraries', () => {
    fake?.fault('no-device');
    expect(() => new CudaDriver(open('libcuda.so.1'))).toThrow(
      'cuInit: CUDA_ERROR_NO_DEVICE (no CUDA-capable device is detected)',
    );
    fake?.fault('');
    const driver = new CudaDriver(open('libcuda.so.1'));
    expect(() => driver.pciBusId(2)).toThrow(/^cuDeviceGet: /);
  });
});
