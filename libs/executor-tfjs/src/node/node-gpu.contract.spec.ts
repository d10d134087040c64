/** With a fake GPU and a fake package: the calls to TensorFlow, CUDA and NVML. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DeviceDescriptionSchema } from '@alphaflops/contracts';
import { describeDevice, ExecutorHost, probeAll, type ExecutorReference } from '@alphaflops/executor';
import { protocolNamed } from '@alphaflops/measure';
import { Library } from '@alphaflops/nvidia';
import { buildFakeGpu, FIRST_GPU, SECOND_GPU } from '@alphaflops/nvidia/testing';
import { CONV_3X3, floorMs, HUGE, UNSUPPORTED } from '../specs.spec.helper.js';

const STAND_IN = fileURLToPath(new URL('../../test/fake-tfjs-node-gpu.cjs', import.meta.url));
const protocol = { ...protocolNamed('gpu'), maxTotalMs: 200 };

const fake = buildFakeGpu();
const folder = mkdtempSync(join(tmpdir(), 'alphaflops-tfjs-node-gpu-'));
afterAll(() => {
  fake?.remove();
  rmSync(folder, { recursive: true });
});

function reference(settings: ExecutorReference['settings']): ExecutorReference {
  return { module: '@alphaflops/executor-tfjs', executor: 'tfjs-node-gpu', settings };
}

async function reasonOf(settings: ExecutorReference['settings']): Promise<string> {
  const [probed] = await probeAll([reference(settings)]);
  if (probed?.result.ok !== false) throw new Error('there should be no device');
  return probed.result.reason;
}

if (fake === null) it.skip('gcc is not installed: there is no GPU to ask', () => undefined);

(fake === null ? describe.skip : describe)('tfjs-node-gpu on two GPUs', () => {
  const libraryPath = fake?.libraryPath ?? [];
  const settings = { folder, libraryPath };
  const opened: ExecutorHost[] = [];

  beforeAll(() => {
    const home = join(folder, 'node_modules/@tensorflow/tfjs-node-gpu');
    mkdirSync(home, { recursive: true });
    symlinkSync(STAND_IN, join(home, 'index.cjs'));
    writeFileSync(join(home, 'package.json'), '{ "name": "@tensorflow/tfjs-node-gpu", "main": "index.cjs" }');
  });
  afterAll(async () => {
    for (const host of opened) await host.close();
  });

  const open = (deviceUuid: string): ExecutorHost => {
    const host = new ExecutorHost({ ...reference(settings), deviceUuid });
    opened.push(host);
    return host;
  };

  it('describes them as executor cudnn does, by their names in NVML', async () => {
    const [probed] = await probeAll([reference(settings)]);
    if (probed?.result.ok !== true) throw new Error(JSON.stringify(probed));
    const { devices } = probed.result;
    expect(devices.map(({ uuid }) => uuid)).toEqual([FIRST_GPU, SECOND_GPU]);
    for (const device of devices) {
      const described = describeDevice(device, { version: '0.1.0', commit: null, dirty: null });
      expect(DeviceDescriptionSchema.parse(described)).toEqual(described);
      expect(device).toMatchObject({
        kind: 'gpu',
        sku: 'Fake GPU',
        smCount: 7,
        provenance: { mathMode: 'tf32' },
      });
      expect(device.provenance.libraries).toEqual({
        'tfjs-core': '4.22.0',
        'tfjs-node-gpu': '4.22.0',
        tensorflow: '2.21.0',
        v8: expect.any(String),
        'memory-layout': 'NHWC',
        timer: 'slope of wall clock',
      });
    }
  });

  // The package would use the last of several GPUs.
  it.each([FIRST_GPU, SECOND_GPU])('measures on %s, on its conditions', async (uuid) => {
    const measurement = await open(uuid).measure(CONV_3X3, protocol);
    // Other programs on the host may make it noisy. The test checks the result.
    expect(['ok', 'noisy']).toContain(measurement.outcome);
    expect(measurement.timing?.timeMs).toBeGreaterThan(floorMs(CONV_3X3));
    expect(measurement.timing?.eagerMs).toBeGreaterThan(floorMs(CONV_3X3));
    expect(measurement.conditions?.before).toMatchObject({ smClockMhz: 1980, temperatureC: 41 });
  });

  it('survives a spec that does not fit, and ends after a failure', async () => {
    const host = open(FIRST_GPU);
    expect(await host.measure({ ...CONV_3X3, cout: 1024 }, protocol)).toMatchObject({
      outcome: 'out-of-memory',
    });
    const pid = host.childPid;
    expect(await host.measure(HUGE, protocol)).toMatchObject({ outcome: 'out-of-memory' });
    for (const { spec } of UNSUPPORTED) {
      expect(await host.measure(spec, protocol)).toMatchObject({ outcome: 'unsupported' });
    }
    expect(host.childPid).toBe(pid);
    expect(await host.measure({ ...CONV_3X3, cout: 1023 }, protocol)).toMatchObject({
      outcome: 'executor-crashed',
      reason: expect.stringContaining('cuDNN launch failure'),
    });
  });

  it('reports what is missing', async () => {
    expect(await reasonOf({ folder: tmpdir(), libraryPath })).toMatch(
      /^@tensorflow\/tfjs-node-gpu is not installed in /,
    );
    await expect(open('GPU-0').measure(CONV_3X3, protocol)).rejects.toThrow(
      'there is no device "GPU-0" here',
    );
  });
});

const title = 'asks for the driver first';
if (hasDriver()) it.skip(`${title}: this machine has one`, () => undefined);
else {
  it(title, async () => {
    expect(await reasonOf({ folder })).toMatch(/^NVIDIA's driver is not installed: libnvidia-ml\.so\.1: /);
  });
}

function hasDriver(): boolean {
  try {
    Library.find('libnvidia-ml.so.1', []);
    return true;
  } catch {
    return false;
  }
}
