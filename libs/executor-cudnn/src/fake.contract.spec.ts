/** The executor with a fake GPU (test/fake-gpu.c), whose convolutions are real and whose times are not. */
import type { ConvSpec } from '@alphaflops/conv';
import {
  checkOutput,
  measureSpec,
  ExecutorHost,
  probeAll,
  systemClock,
  type ExecutorSession,
} from '@alphaflops/executor';
import { executorConformance } from '@alphaflops/executor/testing';
import { measureEnergy, protocolNamed, withEnergy, type EnergySource } from '@alphaflops/measure';
import { buildFakeGpu, FIRST_GPU, SECOND_GPU, type FakeGpu } from '@alphaflops/nvidia/testing';
import { pathToFileURL, fileURLToPath } from 'node:url';
import { CudnnConv } from './cudnn-conv.js';
import { createExecutor } from './index.js';
import { CONV_3X3, lawMs, nvmlSource } from './specs.spec.helper.js';

const built = buildFakeGpu();
const withGcc = built === null ? describe.skip : describe;
if (built === null) it.skip('gcc is not installed: the fake GPU cannot be built', () => undefined);
// Null is never used, because all tests that use it are then skipped.
const gpu = built as FakeGpu;
const meter = (built === null ? null : nvmlSource(built.libraryPath, FIRST_GPU)) as EnergySource;
const HUGE: ConvSpec = { ...CONV_3X3, height: 1_048_576, width: 1_048_576 };

afterAll(() => {
  built?.remove();
});

async function openSession(settings: { find?: boolean } = {}, name = 'cudnn'): Promise<ExecutorSession> {
  return await createExecutor(name, { ...settings, libraryPath: gpu.libraryPath }).open(FIRST_GPU);
}

async function prepared(
  session: ExecutorSession,
  spec: ConvSpec,
  mode: 'hot' | 'cold' = 'hot',
): Promise<CudnnConv> {
  const result = await session.prepare(spec, { seed: 1, mode });
  if (!result.ok || !(result.conv instanceof CudnnConv)) throw new Error(JSON.stringify(result));
  return result.conv;
}

withGcc('cudnn conforms', () => {
  executorConformance({
    createExecutor: () => createExecutor('cudnn', { libraryPath: gpu.libraryPath }),
    unsupported: [],
    huge: HUGE,
    grouped: 'computed',
  });

  // After the suite's own, which disposes its session.
  afterAll(() => {
    expect([gpu.violations(), gpu.live()]).toEqual(['', '']);
  });
});

withGcc('one session', () => {
  let session: ExecutorSession;

  beforeEach(async () => {
    session = await openSession();
  });

  afterEach(async () => {
    gpu.fault('');
    await session.dispose();
    expect(gpu.violations()).toBe('');
    expect(gpu.live()).toBe('');
  });

  const dtypes = ['f32', 'f16', 'bf16'] as const;
  const layouts = ['NCHW', 'NHWC'] as const;
  const axes: Partial<ConvSpec>[] = [
    {},
    { kernel_h: 2, kernel_w: 4 },
    { kernel_h: 4, kernel_w: 3, stride: 2, batch: 2 },
    { groups: 2, padding: 'valid' },
    { groups: 6, cout: 12, kernel_w: 2 },
    { stride_w: 3, dilation_h: 2, padding: 'explicit', pad_top: 3, pad_left: 1, pad_right: 2 },
    { pass: 'backward-data', stride: 2, kernel_h: 2 },
    { pass: 'backward-weights', groups: 2, dilation_w: 2, batch: 2 },
  ];
  const combinations = dtypes.flatMap((dtype) =>
    layouts.flatMap((layout) => axes.map((changes) => ({ ...changes, dtype, layout }))),
  );
  it.each(combinations)('computes the direct sum: %j', async (changes) => {
    const spec = { ...CONV_3X3, ...changes };
    const conv = await prepared(session, spec);
    expect(await checkOutput(spec, conv)).toEqual({ ok: true });
    await conv.timeBatchMs(3);
    expect(await checkOutput(spec, conv)).toEqual({ ok: true });
    await conv.dispose();
  });

  it.each<[Partial<ConvSpec>, string]>([
    [
      {},
      'x 0 1x6x9x12 NCHW, w 10x6x3x3 NCHW, y 1x10x9x12 NCHW, pad 1x1 1x1, stride 1x1, dilation 1x1, groups 1, forward',
    ],
    [
      { dtype: 'f16', layout: 'NHWC', padding: 'valid', stride: 2, batch: 3 },
      'x 2 3x6x9x12 NHWC, w 10x6x3x3 NHWC, y 3x10x4x5 NHWC, pad 0x0 0x0, stride 2x2, dilation 1x1, groups 1, forward',
    ],
    [
      { dtype: 'bf16', groups: 6, cout: 12, kernel_h: 4, kernel_w: 2 },
      'x 9 1x6x9x12 NCHW, w 12x1x4x2 NCHW, y 1x12x9x12 NCHW, pad 1x0 2x1, stride 1x1, dilation 1x1, groups 6, forward',
    ],
    [
      { stride_h: 2, dilation_w: 3, padding: 'explicit', pad_top: 2, pad_right: 6, pass: 'backward-data' },
      'x 0 1x6x9x12 NCHW, w 10x6x3x3 NCHW, y 1x10x5x12 NCHW, pad 2x0 0x6, stride 2x1, dilation 1x3, groups 1, backward-data',
    ],
  ])('describes %j as cuDNN wants it', async (changes, described) => {
    const conv = await prepared(session, { ...CONV_3X3, ...changes });
    expect(gpu.lastConv()).toBe(`${described}, engine 1, workspace 5007`);
    expect(conv.workspaceBytes).toBe(5007);
    await conv.dispose();
  });

  it('times by the law of the device, launch cost apart', async () => {
    const conv = await prepared(session, CONV_3X3);
    const timeMs = lawMs(CONV_3X3);
    for (const inner of [1, 10, 256, 257, 1000]) {
      expect((await conv.timeBatchMs(inner)) / inner / timeMs).toBeCloseTo(1, 4);
    }
    expect((await conv.eagerMs()) / (timeMs + 0.005)).toBeCloseTo(1, 4);
    expect(conv.kernel).toEqual({
      name: 'eng1_k2=4',
      engine: 1,
      knobs: [{ type: 2, value: 4 }],
      numericalNotes: ['tensor-core'],
      planBuildMs: expect.any(Number) as number,
    });
    await conv.dispose();
  });

  it('times with cold caches without the overwriting', async () => {
    const conv = await prepared(session, CONV_3X3, 'cold');
    for (const inner of [1, 5, 40]) {
      expect((await conv.timeBatchMs(inner)) / inner / lawMs(CONV_3X3)).toBeCloseTo(1, 4);
    }
    expect(await checkOutput(CONV_3X3, conv)).toEqual({ ok: true });
    await conv.dispose();
  });

  it('reads the state of the device while a batch runs', async () => {
    const conv = await prepared(session, CONV_3X3);
    expect(conv.batchState()).toBeNull();
    await conv.timeBatchMs(10);
    expect(conv.batchState()).toEqual({ smClockMhz: 1980, throttleReasons: ['gpu-idle'] });
    await conv.dispose();
  });

  it('measures the energy of one convolution, or gives the reason why not', async () => {
    const conv = await prepared(session, CONV_3X3);
    const timeMs = (await conv.timeBatchMs(100)) / 100;
    const energy = (windowMs: number) =>
      measureEnergy(
        () => meter.read(),
        conv.runBackToBack.bind(conv),
        windowMs,
        () => performance.now(),
      );
    const reading = await energy(2000);
    if (!reading.ok) throw new Error(reading.reason);
    expect(reading.energyMillijoules / (300 * timeMs)).toBeCloseTo(1, 1);
    expect(reading.windowMs).toBeGreaterThanOrEqual(2000);
    expect(reading.windowMs).toBeLessThan(2200);
    expect((reading.integratedMillijoules ?? 0) / reading.energyMillijoules).toBeCloseTo(1, 1);
    gpu.fault('power');
    expect(await energy(1000)).toMatchObject({
      integratedMillijoules: expect.closeTo(reading.energyMillijoules / 2, 3),
    });
    gpu.fault('no-energy');
    // Without the counter the power is integrated, which the fault before has ended.
    expect(await energy(1000)).toMatchObject({ ok: true, integratedMillijoules: null });
    await conv.dispose();
  });

  it('measures the energy of a spec when the protocol requests it', async () => {
    const protocol = withEnergy(protocolNamed('gpu'));
    const expectedMillijoules = 300 * lawMs(CONV_3X3);
    const { timing } = await measureSpec(session, CONV_3X3, protocol, systemClock, { energy: meter });
    expect((timing?.energyMillijoules ?? 0) / expectedMillijoules).toBeCloseTo(1, 1);
    expect(timing?.energy).toMatchObject({ measured: true, doubt: null });
    gpu.fault('power');
    const doubtful = await measureSpec(session, CONV_3X3, protocol, systemClock, { energy: meter });
    expect(doubtful.timing?.energy).toMatchObject({ doubt: expect.stringMatching(/differ by -5\d %/) });
    const none = await measureSpec(session, CONV_3X3, protocol, systemClock, { energy: 'no meter here' });
    expect(none.timing).toMatchObject({ energyMillijoules: null, energy: { measured: false } });
  });

  it('reuses device memory for the next spec', async () => {
    const first = await prepared(session, { ...CONV_3X3, height: 40, width: 40 });
    await first.dispose();
    const held = gpu.live();
    const second = await prepared(session, CONV_3X3);
    await second.dispose();
    expect(gpu.live()).toBe(held);
  });

  it('frees the memory of earlier specs for a spec that needs it', async () => {
    // 9 MiB of input in f16, then as much in f32, of 16 MiB.
    const large: ConvSpec = {
      ...CONV_3X3,
      height: 1024,
      width: 768,
      cin: 6,
      cout: 1,
      kernel_h: 1,
      kernel_w: 1,
    };
    await (await prepared(session, { ...large, dtype: 'f16' })).dispose();
    await (await prepared(session, { ...large, cin: 3 })).dispose();
    expect(await session.prepare(large, { seed: 1, mode: 'hot' })).toMatchObject({
      outcome: 'out-of-memory',
      reason: '22 MiB are needed, the device has 16 MiB',
    });
  });

  it.each([
    [
      'out-of-memory',
      'out-of-memory',
      /MiB are needed: cudaMalloc: cudaErrorMemoryAllocation \(out of memory\)/,
    ],
    ['no-algorithm', 'unsupported', /^cuDNN has no engine for it: the heuristics propose none$/],
  ])('%s is %s and does no harm', async (fault, outcome, reason) => {
    gpu.fault(fault);
    const result = await session.prepare(CONV_3X3, { seed: 1, mode: 'hot' });
    expect(result).toMatchObject({ ok: false, outcome, reason: expect.stringMatching(reason) as string });
    gpu.fault('');
    const conv = await prepared(session, CONV_3X3);
    expect(await checkOutput(CONV_3X3, conv)).toEqual({ ok: true });
    await conv.dispose();
  });

  it('uses the next engine when the workspace of the first does not fit', async () => {
    gpu.fault('workspace');
    const conv = await prepared(session, CONV_3X3);
    expect(conv.kernel.name).toBe('eng0');
    expect(conv.workspaceBytes).toBe(0);
    await conv.dispose();
  });

  it.each([
    [
      'launch',
      'cudnn',
      'cudnnBackendExecute: CUDNN_STATUS_EXECUTION_FAILED (the kernel could not be launched)',
    ],
    ['device', 'cuda', 'cudaStreamSynchronize: cudaErrorLaunchFailure (unspecified launch failure)'],
  ])('fault %s is an error in the words of the library', async (fault, code, message) => {
    gpu.fault(fault);
    await expect(async () => session.prepare(CONV_3X3, { seed: 1, mode: 'hot' })).rejects.toMatchObject({
      name: 'GpuError',
      code,
      message,
    });
  });

  it('reads its conditions', async () => {
    expect(await session.readConditions()).toEqual({
      smClockMhz: 1980,
      maxSmClockMhz: 1980,
      temperatureC: 41,
      powerW: 70,
      throttleReasons: ['gpu-idle'],
      otherProcesses: 2,
      hostLoad1: expect.any(Number) as number,
    });
  });

  it.each([
    ['hot', 'throttled', /the device reports sw-thermal-slowdown, hw-thermal-slowdown/],
    ['wrong', 'wrong-result', /the direct sum is/],
  ])('fault %s is measured as %s', async (fault, outcome, reason) => {
    gpu.fault(fault);
    const protocol = { ...protocolNamed('gpu'), throttleRetries: 0 };
    const measurement = await measureSpec(session, CONV_3X3, protocol, systemClock);
    expect(measurement).toMatchObject({ outcome, reason: expect.stringMatching(reason) as string });
  });
});

withGcc('how f32 is computed', () => {
  it.each([
    ['cudnn', {}, 'engine 1,'],
    // Tensor cores would round its inputs to TF32.
    ['cudnn-fp32', {}, 'engine 0,'],
    ['cudnn', { find: true }, 'engine 6,'],
  ])('%s %j: %s', async (name, settings, described) => {
    const session = await openSession(settings, name);
    const conv = await prepared(session, CONV_3X3);
    expect(conv.tolerance).toBe(name === 'cudnn' ? 1e-2 : 1e-3);
    expect(await checkOutput(CONV_3X3, conv)).toEqual({ ok: true });
    expect(gpu.lastConv()).toContain(described);
    await conv.dispose();
    await session.dispose();
    expect([gpu.violations(), gpu.live()]).toEqual(['', '']);
  });
});

withGcc('probing', () => {
  const probe = () => createExecutor('cudnn', { libraryPath: gpu.libraryPath }).probe();
  afterEach(() => {
    gpu.fault('');
  });

  it('describes the devices', async () => {
    const probed = await probe();
    if (!probed.ok) throw new Error(probed.reason);
    expect(probed.devices).toHaveLength(2);
    expect(probed.devices[0]).toMatchObject({
      computeCapability: '9.0',
      cudnnDeviceProperties: '{"deviceVer":900,"deviceName":"Fake GPU"}',
      uuid: FIRST_GPU,
      sku: 'Fake GPU',
      kind: 'gpu',
      memoryBytes: 2 ** 24,
      smCount: 7,
      provenance: {
        device: {
          l2Bytes: 2 ** 20,
          computeCapability: '9.0',
          eccEnabled: true,
          migEnabled: null,
          powerLimitW: 700,
          driver: '580.159.04',
          driverCuda: '13.0',
        },
        libraries: { cuda: '12.9', cudnn: '9.19.0', 'cudnn-api': 'graph', 'engine-choice': 'heuristic' },
        mathMode: 'tf32',
      },
    });
  });

  it.each([
    ['no-device', /^cudaGetDeviceCount: cudaErrorNoDevice \(no CUDA-capable device is detected\)$/],
    ['old-driver', /cudaErrorInsufficientDriver/],
    ['no-handle', /^cudnnCreate: CUDNN_STATUS_NOT_INITIALIZED \(cudaGetDeviceCount/],
    ['cudnn-8.8', /^needs cuDNN 8\.9 or newer; .*libcudnn\.so\.9 is cuDNN 8\.8\.0$/],
  ])('says what is wrong: %s', async (fault, reason) => {
    gpu.fault(fault);
    expect(await probe()).toEqual({ ok: false, reason: expect.stringMatching(reason) as string });
  });
});

const module = pathToFileURL(fileURLToPath(new URL('../test/faulty-adapter.mjs', import.meta.url))).href;

withGcc('CUDA_VISIBLE_DEVICES', () => {
  it.each([
    ['1', [SECOND_GPU]],
    ['1,0', [SECOND_GPU, FIRST_GPU]],
    [SECOND_GPU, [SECOND_GPU]],
    ['', null],
    ['7', null],
  ])(
    '%j leaves %j, under their own UUIDs',
    async (visible, expected) => {
      const reference = {
        module,
        executor: 'cudnn',
        settings: { visible, libraryPath: [...gpu.libraryPath] },
      };
      const [probed] = await probeAll([reference]);
      const uuids = probed?.result.ok === true ? probed.result.devices.map(({ uuid }) => uuid) : null;
      expect(uuids).toEqual(expected);
      const hidden = [FIRST_GPU, SECOND_GPU].filter((uuid) => expected?.includes(uuid) !== true);
      for (const [deviceUuid, isHidden] of [
        ...(expected ?? []).map((u) => [u, false] as const),
        ...hidden.map((u) => [u, true] as const),
      ]) {
        const host = new ExecutorHost({ ...reference, deviceUuid });
        if (isHidden) await expect(host.start()).rejects.toMatchObject({ code: 'start-failed' });
        else
          expect(await host.measure(CONV_3X3, protocolNamed('quick-cpu'))).toMatchObject({ outcome: 'ok' });
        await host.close();
      }
    },
    20_000,
  );
});

withGcc('in the worker', () => {
  const hostWith = (fault: string): ExecutorHost =>
    new ExecutorHost({
      module,
      executor: 'cudnn',
      settings: { fault, libraryPath: [...gpu.libraryPath] },
      deviceUuid: FIRST_GPU,
    });
  const protocol = { ...protocolNamed('gpu'), specTimeLimitMs: 1000 };

  it('measures by the law', async () => {
    const host = hostWith('');
    const measurement = await host.measure(CONV_3X3, protocol);
    expect(measurement).toMatchObject({ outcome: 'ok', workspaceBytes: 5007 });
    expect((measurement.timing?.timeMs ?? 0) / lawMs(CONV_3X3)).toBeCloseTo(1, 4);
    const pid = host.childPid;
    expect(await host.measure(HUGE, protocol)).toMatchObject({ outcome: 'out-of-memory' });
    expect(host.childPid).toBe(pid);
    await host.close();
  }, 20_000);

  it('ends with its reason when cuDNN is broken, and measures nothing as unsupported', async () => {
    const host = hostWith('broken');
    await expect(host.measure(CONV_3X3, protocol)).rejects.toMatchObject({
      name: 'ExecutorError',
      code: 'broken-installation',
      message: expect.stringMatching(
        /^cuDNN does not work here: cudnnBackendFinalize: CUDNN_STATUS_NOT_SUPPORTED_SUBLIBRARY_UNAVAILABLE/,
      ) as string,
    });
    await host.close();
  }, 20_000);

  it.each([
    ['hang', 'timeout', /the executor process was killed/],
    ['crash', 'executor-crashed', /ended by signal SIGABRT/],
    ['launch', 'executor-crashed', /CUDNN_STATUS_EXECUTION_FAILED \(the kernel could not be launched\)/],
  ])(
    '%s is %s and costs one spec',
    async (fault, outcome, reason) => {
      const host = hostWith(fault);
      await host.start();
      const pid = host.childPid;
      expect(await host.measure(CONV_3X3, protocol)).toMatchObject({
        outcome,
        reason: expect.stringMatching(reason) as string,
      });
      await host.start();
      expect(host.childPid).not.toBe(pid);
      await host.close();
    },
    20_000,
  );
});
