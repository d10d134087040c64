import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProbedDeviceSchema } from '@alphaflops/executor';
import { describeProcessor } from '../host-processor.js';
import { describeAdapter } from './adapter-device.js';
import { hasLibrary, isSoftware, whyRefused } from './dawn.js';
import { nvidiaGpus } from './nvidia-gpus.js';

function adapter(changes: Partial<GPUAdapterInfo>, features = ['timestamp-query']): GPUAdapter {
  const info = { vendor: 'amd', architecture: 'rdna-3', device: 'radeon-rx', description: 'radv 25.1' };
  return {
    info: { ...info, isFallbackAdapter: false, ...changes },
    features: new Set(features),
  } as unknown as GPUAdapter;
}

const LAVAPIPE = { vendor: 'mesa', device: 'llvmpipe-llvm-15', description: 'Mesa 25.0 (LLVM 15)' };

describe('an adapter', () => {
  it('is used when it is a GPU with a clock of its own', () => {
    expect(whyRefused(adapter({}), false)).toBeNull();
    expect(whyRefused(adapter({}, []), false)).toMatch(
      /radeon-rx \(radv 25.1\) does not tell .*timestamp-query/,
    );
  });

  it('that computes on the processor is refused unless requested, also when its driver does not report it', () => {
    for (const software of [adapter({ isFallbackAdapter: true }), adapter(LAVAPIPE)]) {
      expect(isSoftware(software.info)).toBe(true);
      expect(whyRefused(software, false)).toMatch(/^there is only a software adapter, .*--software-adapter/);
      expect(whyRefused(software, true)).toBeNull();
    }
    expect(whyRefused(adapter({}), true)).toMatch(/is not a software adapter, which was requested/);
  });
});

describe('the description of an adapter', () => {
  const executor = { name: 'tfjs-webgpu', version: '0.1.0' };
  const describeIt = (changes: Partial<GPUAdapterInfo>, gpus: () => ReturnType<typeof nvidiaGpus>) =>
    describeAdapter(adapter(changes), executor, { webgpu: '0.6.2' }, gpus);
  const none = () => Promise.resolve([]);

  it('is a GPU with an id that does not change with the driver', async () => {
    const device = await describeIt({}, none);
    expect(ProbedDeviceSchema.parse(device)).toEqual(device);
    expect(device).toMatchObject({ kind: 'gpu', sku: 'amd radeon-rx', executor: 'tfjs-webgpu' });
    expect(device.provenance.libraries).toEqual({ webgpu: '0.6.2', driver: 'radv 25.1' });
    const later = await describeIt({ description: 'radv 25.2' }, none);
    expect(later.uuid).toBe(device.uuid);
    expect((await describeIt({ device: 'radeon-pro' }, none)).uuid).not.toBe(device.uuid);
  });

  it('is the processor’s for a software adapter', async () => {
    const { uuid } = await describeProcessor();
    expect(await describeIt(LAVAPIPE, none)).toMatchObject({
      uuid,
      kind: 'cpu',
      sku: expect.stringMatching(/^llvmpipe-llvm-15 \(software\) on /),
    });
  });

  it('has NVIDIA’s own id, so that no other executor times on that GPU, and is refused if the id is unknown', async () => {
    const gpu = { uuid: 'GPU-1', model: 'NVIDIA L4' };
    const nvidia = { vendor: 'nvidia' };
    expect(await describeIt(nvidia, () => Promise.resolve([gpu]))).toMatchObject({
      uuid: 'GPU-1',
      sku: gpu.model,
    });
    const two = [gpu, { ...gpu, uuid: 'GPU-2' }];
    await expect(describeIt(nvidia, () => Promise.resolve(two))).rejects.toThrow(
      /^there are 2 NVIDIA GPUs, and WebGPU does not tell which/,
    );
    expect((await describeIt({}, () => Promise.resolve(two))).uuid).toMatch(/^gpu-/);
  });
});

it('reads the GPUs from NVIDIA’s driver', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'alphaflops-nvidia-'));
  try {
    const write = async (name: string, uuid: string): Promise<void> => {
      await mkdir(join(folder, name));
      const lines = [
        'Model: \t\t NVIDIA H100 80GB HBM3',
        'IRQ:   \t\t 113',
        `GPU UUID: \t ${uuid}`,
        'Bus: \t 0',
      ];
      await writeFile(join(folder, name, 'information'), `${lines.join('\n')}\n`);
    };
    await write('0000:18:00.0', 'GPU-7f6e1a2b-0000-1111-2222-333344445555');
    await write('0000:2a:00.0', 'GPU-????????-????-????-????-????????????');
    expect(await nvidiaGpus(folder)).toEqual([
      { uuid: 'GPU-7f6e1a2b-0000-1111-2222-333344445555', model: 'NVIDIA H100 80GB HBM3' },
      { uuid: null, model: 'NVIDIA H100 80GB HBM3' },
    ]);
    expect(await nvidiaGpus(join(folder, 'none'))).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

it('distinguishes a missing library from one that is not an addon', () => {
  expect(hasLibrary('libno-such-library.so.1')).toBe(false);
  if (process.platform === 'linux') expect(hasLibrary('libm.so.6')).toBe(true);
});
