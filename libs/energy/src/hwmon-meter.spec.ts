import { energyMeterConformance } from '@alphaflops/executor/testing';
import { FakeKernel } from './fake-kernel.spec.helper.js';
import { openEnergyMeter } from './index.js';

const ADDRESS = '0000:03:00.0';
const GPU = { uuid: 'gpu-1234', kind: 'gpu', pciBusId: ADDRESS, vendor: 'amd' } as const;

describe('hwmon meter', () => {
  let kernel: FakeKernel;
  beforeEach(() => {
    kernel = new FakeKernel();
  });
  afterEach(() => {
    kernel.dispose();
  });
  const open = (device: Parameters<typeof openEnergyMeter>[0] = GPU) =>
    openEnergyMeter(device, { root: kernel.root });

  describe('conforms with a counter', () => {
    let energyUj = 17;
    const show = () => {
      kernel.sensors(ADDRESS, 'xe', { energy1_input: energyUj, power1_crit: 5 });
    };
    beforeEach(show);
    energyMeterConformance({
      open: () => open(),
      draw: (powerW, durationMs) => {
        energyUj += powerW * durationMs * 1000;
        show();
      },
      countsHost: false,
    });
  });

  describe('conforms with readings of the power', () => {
    const show = (powerW: number) => {
      kernel.sensors(ADDRESS, 'amdgpu', { power1_average: powerW * 1e6, power1_input: 1, power1_cap: 3e8 });
    };
    beforeEach(() => {
      show(40);
    });
    energyMeterConformance({ open: () => open(), draw: show, countsHost: false });
  });

  it('uses the momentary power if there is no average', () => {
    kernel.sensors(ADDRESS, 'amdgpu', { power1_input: 35_500_000 });
    const opened = open();
    if (!opened.ok) throw new Error(opened.reason);
    expect(opened.meter.read()).toEqual({ energyMillijoules: null, powerW: 35.5 });
    expect(opened.meter.description).toMatchObject({ name: 'hwmon-amdgpu-power', method: 'power' });
  });

  it('finds the only GPU of a vendor, and refuses to choose between two', () => {
    const card = (name: string, vendor: string) => {
      kernel.write(`sys/class/drm/${name}/device/vendor`, vendor);
      kernel.write(`sys/class/drm/${name}/device/hwmon/hwmon1/name`, 'amdgpu');
      kernel.write(`sys/class/drm/${name}/device/hwmon/hwmon1/power1_average`, 7_000_000);
    };
    card('card0', '0x8086');
    card('card0-DP-1', '0x1002');
    const unknown = { ...GPU, pciBusId: null };
    expect(open(unknown)).toMatchObject({ ok: false, reason: expect.stringMatching(/no GPU of amd/) });
    card('card1', '0x1002');
    expect(open(unknown)).toMatchObject({ ok: true });
    card('card2', '0x1002');
    expect(open(unknown)).toMatchObject({ ok: false, reason: expect.stringMatching(/2 GPUs of amd/) });
    expect(open({ ...unknown, vendor: 'apple' })).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/neither the PCI address/),
    });
  });

  it.each([
    ['no sensors', {}, null, /no sensors/],
    ['no files', {}, 'amdgpu', /neither energy nor power/],
    ['not a number', { power1_average: NaN }, 'amdgpu', /neither energy nor power/],
  ])('gives the reason why it is missing: %s', (_which, files, driver, reason) => {
    if (driver !== null) kernel.sensors(ADDRESS, driver, files);
    expect(open()).toMatchObject({ ok: false, reason: expect.stringMatching(reason) });
  });
});
