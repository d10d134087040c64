/** Runs on a real NVIDIA GPU with its libraries. Without a GPU it is skipped, with the reason. */
import type { ConvSpec } from '@alphaflops/conv';
import { checkOutput, measureSpec, systemClock, type ExecutorSession } from '@alphaflops/executor';
import { executorConformance } from '@alphaflops/executor/testing';
import { measureEnergy, protocolNamed } from '@alphaflops/measure';
import { CudnnConv } from './cudnn-conv.js';
import { CONV_3X3, nvmlSource } from './specs.spec.helper.js';
import { createExecutor, CUDNN_EXECUTORS } from './index.js';

const settings = {
  libraryPath: (process.env['LD_LIBRARY_PATH'] ?? '').split(':').filter((part) => part !== ''),
};
const probed = await createExecutor('cudnn', settings).probe();
const onGpu = probed.ok ? describe : describe.skip;
if (!probed.ok) it.skip(`no GPU here: ${probed.reason}`, () => undefined);

onGpu.each(CUDNN_EXECUTORS)('%s conforms', (name) => {
  executorConformance({
    createExecutor: () => createExecutor(name, settings),
    unsupported: [],
    huge: { ...CONV_3X3, height: 1_048_576, width: 1_048_576 },
    grouped: 'computed',
  });
});

onGpu('cudnn on this GPU', () => {
  let session: ExecutorSession;
  const uuid = probed.ok ? (probed.devices[0]?.uuid ?? '') : '';
  beforeAll(async () => {
    session = await createExecutor('cudnn', settings).open(uuid);
  });
  afterAll(async () => {
    await session.dispose();
  });

  const prepared = async (spec: ConvSpec, mode: 'hot' | 'cold' = 'hot'): Promise<CudnnConv> => {
    const result = await session.prepare(spec, { seed: 1, mode });
    if (!result.ok || !(result.conv instanceof CudnnConv)) throw new Error(JSON.stringify(result));
    return result.conv;
  };
  const layer: ConvSpec = { ...CONV_3X3, height: 56, width: 56, cin: 64, cout: 64 };

  const combinations = (['f32', 'f16', 'bf16'] as const).flatMap((dtype) =>
    (['NCHW', 'NHWC'] as const).flatMap((layout) =>
      [{}, { kernel_h: 2, kernel_w: 4 }, { groups: 8 }, { batch: 2, stride: 2 }].map((changes) => ({
        ...changes,
        dtype,
        layout,
      })),
    ),
  );
  it.each(combinations)('computes the direct sum: %j', async (changes) => {
    const spec = { ...layer, ...changes };
    const conv = await prepared(spec);
    expect(await checkOutput(spec, conv)).toEqual({ ok: true });
    await conv.dispose();
  });

  it('is slower with cold caches and launch by launch', async () => {
    const hot = await prepared(layer);
    await hot.timeBatchMs(200);
    const hotMs = (await hot.timeBatchMs(200)) / 200;
    expect(await hot.eagerMs()).toBeGreaterThan(0.9 * hotMs);
    await hot.dispose();
    const cold = await prepared(layer, 'cold');
    await cold.timeBatchMs(64);
    expect((await cold.timeBatchMs(64)) / 64).toBeGreaterThan(0.9 * hotMs);
    await cold.dispose();
  });

  it('gives the same time for the same shape again', async () => {
    const times: number[] = [];
    for (let i = 0; i < 2; i++) {
      const measurement = await measureSpec(session, layer, protocolNamed('gpu'), systemClock);
      if (measurement.outcome !== 'ok') throw new Error(JSON.stringify(measurement));
      times.push(measurement.timing.timeMs);
    }
    expect(Math.abs((times[1] ?? 0) / (times[0] ?? 1) - 1)).toBeLessThan(0.1);
  });

  it('measures energy where the device counts it', async () => {
    const conv = await prepared({ ...layer, batch: 32 });
    const timeMs = (await conv.timeBatchMs(20)) / 20;
    const meter = nvmlSource(settings.libraryPath, uuid);
    const run = conv.runBackToBack.bind(conv);
    const reading = await measureEnergy(
      () => meter.read(),
      run,
      1000,
      () => performance.now(),
    );
    await conv.dispose();
    if (!reading.ok) throw new Error(reading.reason);
    const powerW = reading.energyMillijoules / timeMs;
    expect(powerW).toBeGreaterThan(10);
    expect(powerW).toBeLessThan(2000);
    // The power readings are averages over up to a second.
    expect(
      (reading.integratedMillijoules ?? reading.energyMillijoules) / reading.energyMillijoules,
    ).toBeGreaterThan(0.5);
    expect(
      (reading.integratedMillijoules ?? reading.energyMillijoules) / reading.energyMillijoules,
    ).toBeLessThan(2);
  }, 30_000);
});
