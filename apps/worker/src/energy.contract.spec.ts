/** Energy from the meter of a device, in the process of a real executor, on the build: `npm run build` first. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ExecutorHost } from '@alphaflops/executor';
import { protocolNamed, withEnergy } from '@alphaflops/measure';
import { exampleSpec } from './example-job.spec-helper.js';

const POWER_W = 42;
/** However busy the machine of the test is. */
const PROTOCOL = { ...withEnergy(protocolNamed('quick-cpu')), noisyRelativeStandardError: 0.99 };
const ADDRESS = '0000:03:00.0';

describe('energy of any executor', () => {
  const root = mkdtempSync(join(tmpdir(), 'alphaflops-energy-'));
  const sensors = join(root, 'sys/bus/pci/devices', ADDRESS, 'hwmon/hwmon0');
  mkdirSync(sensors, { recursive: true });
  writeFileSync(join(sensors, 'name'), 'amdgpu\n');
  writeFileSync(join(sensors, 'power1_average'), `${POWER_W * 1e6}\n`);
  afterAll(() => {
    rmSync(root, { recursive: true });
  });

  const hostOf = (pciBusId: string) =>
    new ExecutorHost({
      module: '@alphaflops/executor-tfjs',
      executor: 'tfjs-cpu',
      energy: { module: '@alphaflops/energy', settings: { root } },
      deviceUuid: uuid,
      metered: { uuid: 'gpu-of-a-test', kind: 'gpu', pciBusId, vendor: null },
    });
  let uuid = '';
  beforeAll(async () => {
    const { createExecutor } = await import('@alphaflops/executor-tfjs');
    const probed = await createExecutor('tfjs-cpu').probe();
    if (!probed.ok) throw new Error(probed.reason);
    uuid = probed.devices[0]?.uuid ?? '';
  });

  it('is the energy of the device that computes', async () => {
    const host = hostOf(ADDRESS);
    host.idlePowerW = 2;
    expect(await host.readConditions()).toMatchObject({ powerW: POWER_W });
    const { timing } = await host.measure(exampleSpec(), PROTOCOL);
    await host.close();
    const energy = timing?.energy;
    if (energy?.measured !== true) throw new Error(JSON.stringify(timing));
    const durationMs = energy.windowMs / energy.iterations;
    expect(energy).toMatchObject({ meter: 'hwmon-amdgpu-power', doubt: null });
    expect(timing?.energyMillijoules).toBeCloseTo(POWER_W * durationMs, 9);
    expect(energy.aboveIdleMillijoules).toBeCloseTo((POWER_W - 2) * durationMs, 9);
  }, 30_000);

  it('is null, with the reason of its meter', async () => {
    const host = hostOf('0000:04:00.0');
    const { timing } = await host.measure(exampleSpec(), PROTOCOL);
    await host.close();
    expect(timing).toMatchObject({
      energyMillijoules: null,
      energy: { measured: false, reason: expect.stringContaining('no sensors') },
    });
  }, 30_000);
});
