/** Runs on SwiftShader, a Vulkan driver that computes on the processor. Without it, it is skipped, with the reason. */
import { PASSES, type ConvSpec } from '@alphaflops/conv';
import { checkOutput, ExecutorHost, measureSpec, probeAll, systemClock } from '@alphaflops/executor';
import { executorConformance } from '@alphaflops/executor/testing';
import { protocolNamed } from '@alphaflops/measure';
import { createExecutor } from '../index.js';
import { CONV_3X3, computedBy, floorMs, HUGE, UNSUPPORTED } from '../specs.spec.helper.js';
import type { Dispatch } from './recording.js';
import { WebGpuConv } from './webgpu-conv.js';
import { WebGpuSession } from './webgpu-session.js';

const SMALL: ConvSpec = { ...CONV_3X3, height: 8, width: 8, cin: 8, cout: 8 };
const DEPTHWISE: ConvSpec = { ...SMALL, groups: 8 };

const module = '@alphaflops/executor-tfjs';
const executor = 'tfjs-webgpu';
const settings = { softwareAdapter: true };
const probed = await createExecutor(executor, settings).probe();
const onSoftware = probed.ok ? describe : describe.skip;
if (!probed.ok)
  it.skip(`no software adapter here (npm test installs one): ${probed.reason}`, () => undefined);
const deviceUuid = probed.ok ? (probed.devices[0]?.uuid ?? '') : '';

async function open(): Promise<WebGpuSession> {
  const session = await createExecutor(executor, settings).open(deviceUuid);
  if (!(session instanceof WebGpuSession)) throw new Error('another session');
  return session;
}

onSoftware('tfjs-webgpu conforms', () => {
  executorConformance({
    createExecutor: () => createExecutor(executor, settings),
    unsupported: UNSUPPORTED,
    huge: HUGE,
    grouped: 'unsupported',
    computes: computedBy(PASSES, PASSES),
    // Of shaders without barriers, which take SwiftShader long.
    growth: {
      small: { height: 16, width: 16, cin: 8, cout: 8, groups: 8 },
      large: { height: 128, width: 128, cin: 32, cout: 32, groups: 32 },
    },
  });
});

onSoftware('tfjs-webgpu', () => {
  let session: WebGpuSession;
  beforeEach(async () => {
    session = await open();
  });
  afterEach(async () => {
    await session.dispose();
  });

  const prepared = async (spec: ConvSpec): Promise<WebGpuConv> => {
    const result = await session.prepare(spec, { seed: 1, mode: 'hot' });
    if (!result.ok || !(result.conv instanceof WebGpuConv)) throw new Error(JSON.stringify(result));
    return result.conv;
  };

  it('replays all shaders of a convolution, and erases the output before a check', async () => {
    const conv = await prepared(SMALL);
    expect(conv.algorithm).toBe('Im2ColProgram + MatMulSmallOutputSizeProgram NHWC');
    expect(conv.recording.dispatches).toHaveLength(2);
    expect(await checkOutput(SMALL, conv)).toEqual({ ok: true });
    // The workspace lies between the two shaders.
    const { height, width, cin, kernel_h, kernel_w } = SMALL;
    expect(conv.workspaceBytes).toBeGreaterThanOrEqual(4 * height * width * cin * kernel_h * kernel_w);
    (conv.recording.dispatches as Dispatch[]).pop();
    expect(await checkOutput(SMALL, conv)).toMatchObject({ ok: false });
    await conv.dispose();
  });

  it('remains correct when TensorFlow.js has used the device in between', async () => {
    const conv = await prepared(SMALL);
    expect(await conv.eagerMs()).toBeGreaterThan(floorMs(SMALL));
    expect(await checkOutput(SMALL, conv)).toEqual({ ok: true });
    await conv.dispose();
  });

  it('leaves nothing allocated', async () => {
    for (const spec of [SMALL, DEPTHWISE]) {
      const conv = await prepared(spec);
      expect(await conv.timeBatchMs(300)).toBeGreaterThan(300 * floorMs(spec));
      expect(session.open.backend.allocatedBytes).toBeGreaterThan(0);
      await conv.dispose();
      expect(session.open.backend.allocatedBytes).toBe(0);
    }
  });

  it('is out of memory when the device reports it, and continues', async () => {
    const { device } = session.open;
    const popErrorScope = device.popErrorScope.bind(device);
    device.popErrorScope = async () => (await popErrorScope()) ?? new GPUOutOfMemoryError('no room');
    expect(await session.prepare(SMALL, { seed: 1, mode: 'hot' })).toEqual({
      ok: false,
      outcome: 'out-of-memory',
      reason: 'about 1 MiB are needed, and Dawn says: no room',
    });
    expect(session.open.backend.allocatedBytes).toBe(0);
    device.popErrorScope = popErrorScope;
    await (await prepared(SMALL)).dispose();
  });

  it('is unsupported if Dawn refuses a shader, and continues', async () => {
    const { device } = session.open;
    const createShaderModule = device.createShaderModule.bind(device);
    device.createShaderModule = (descriptor) =>
      createShaderModule({ ...descriptor, code: 'fn main() { no shader }' });
    expect(await session.prepare(DEPTHWISE, { seed: 1, mode: 'hot' })).toEqual({
      ok: false,
      outcome: 'unsupported',
      reason: expect.stringMatching(/^Dawn refuses the shaders of TensorFlow.js for this spec: .*WGSL/),
    });
    expect(session.open.backend.allocatedBytes).toBe(0);
    device.createShaderModule = createShaderModule;
    await (await prepared(SMALL)).dispose();
  });

  it('throws when the device reports an error', async () => {
    session.open.device.createBuffer({ size: 4, usage: 0xffff });
    await expect(measureSpec(session, SMALL, protocolNamed('quick-cpu'), systemClock)).rejects.toThrow(
      /WebGPU: GPUValidationError: .*65535/,
    );
  });

  it('reports a lost device', async () => {
    const conv = await prepared(SMALL);
    session.open.device.destroy();
    await expect(conv.timeBatchMs(1)).rejects.toThrow(/the device was lost/);
    await expect(session.prepare(SMALL, { seed: 1, mode: 'hot' })).rejects.toThrow(/the device was lost/);
  });
});

onSoftware('tfjs-webgpu in the worker', () => {
  it('measures in a child, if a software adapter is requested', async () => {
    const [refused, found] = await probeAll([
      { module, executor },
      { module, executor, settings },
    ]);
    // On a machine with a GPU, the first one is not refused, and is another device.
    if (refused?.result.ok === true) expect(refused.result.devices[0]?.kind).toBe('gpu');
    else expect(refused?.result.reason).toMatch(/only a software adapter.*--software-adapter/);
    if (found?.result.ok !== true) throw new Error(JSON.stringify(found));
    const [device] = found.result.devices;
    expect(device).toMatchObject({
      uuid: deviceUuid,
      kind: 'cpu',
      provenance: { device: { isFallbackAdapter: true, isSoftware: true, vendor: 'google' } },
    });

    const host = new ExecutorHost({ module, executor, settings, deviceUuid });
    try {
      const measurement = await host.measure(DEPTHWISE, protocolNamed('quick-cpu'));
      expect(['ok', 'noisy']).toContain(measurement.outcome);
      expect(measurement.timing).toMatchObject({ eagerMs: expect.any(Number) });
      expect(await host.measure(HUGE, protocolNamed('quick-cpu'))).toMatchObject({
        outcome: 'out-of-memory',
      });
    } finally {
      await host.close();
    }
  });
});
