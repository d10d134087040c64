/** One convolution through the process of an executor, on the build: `npm run build` first. */
import { randomUUID } from 'node:crypto';
import { FAKE_POWER_W, fakeGpuUuid, fakeSpec, fakeTimeMs } from '@alphaflops/executor/testing';
import { bench, type BenchRequest } from './bench.js';
import { benchText } from './bench-report.js';
import { exampleSpec } from './example-job.spec-helper.js';
import { lockGpu } from './gpu-lock.js';

const worker = { version: '1', commit: null, dirty: null };
const request: BenchRequest = {
  spec: exampleSpec(),
  executor: 'fake',
  deviceUuid: null,
  protocol: null,
  energy: false,
  libraryPath: [],
  processCommand: null,
  cudnnFind: false,
  tfjsNodeFolder: null,
  softwareAdapter: false,
};

process.env['ALPHAFLOPS_TEST_ADAPTER'] = '@alphaflops/executor/testing';

describe('bench', () => {
  it('reports time, statistics and their distribution', async () => {
    const report = await bench(request, worker);
    expect(report).toMatchObject({
      device: { uuid: 'fake-device-0', provenance: { worker } },
      protocol: { name: 'cpu' },
      measurement: { outcome: 'ok' },
    });
    const { timing } = report.measurement;
    expect((timing?.timeMs ?? 0) / fakeTimeMs(request.spec)).toBeCloseTo(1, 1);
    const lines = benchText(report).split('\n');
    expect(lines.slice(0, 4)).toEqual([
      'spec        b1-h8-w8-i4-o4-k3x3-s1-g1-f32-same-NCHW  (0.009216 million multiply-adds)',
      'device      Fake device  fake-device-0  by fake',
      'protocol    cpu v2, caches hot',
      'outcome     ok',
    ]);
    expect(lines[4]).toMatch(/^time {8}0\.02\d* ms \(median\), 0\.\d+ GFLOP\/s$/);
    const batches = lines.slice(lines.indexOf('') + 2).map((line) => Number(line.split(' ').at(-1)));
    expect(batches.reduce((sum, count) => sum + count, 0)).toBe(timing?.repetitions);
  }, 20_000);

  it('reports energy, and its part above idle', async () => {
    const spec = exampleSpec(64);
    const report = await bench(
      {
        ...request,
        spec,
        executor: 'fake-gpu',
        deviceUuid: fakeGpuUuid(1),
        protocol: 'quick-cpu',
        energy: true,
      },
      worker,
    );
    expect(report.measurement.timing?.energy).toMatchObject({ idlePowerW: FAKE_POWER_W.idle });
    expect(report.device.uuid).toBe(fakeGpuUuid(1));
    expect(benchText(report)).toMatch(
      /^energy .* mJ, (29\d\.?\d*|30\d\.?\d*) W, .* mJ above the 60 W of idling$/m,
    );
  }, 30_000);

  it('reports no energy for a convolution without a good time', async () => {
    const noisy = { ...request, spec: fakeSpec('noisy'), executor: 'fake-gpu', energy: true };
    expect(benchText(await bench(noisy, worker))).toMatch(/^energy {6}not measured: the outcome is noisy$/m);
  }, 30_000);

  it('reports why there is no time, and which requests are not possible', async () => {
    const failed = await bench({ ...request, spec: fakeSpec('crash') }, worker);
    expect(benchText(failed)).toMatch(/outcome {5}executor-crashed: .*exit code 70/);
    const wrong = { code: 'usage', message: expect.stringContaining('only fake-device-0, fake-device-1.') };
    await expect(bench({ ...request, deviceUuid: randomUUID() }, worker)).rejects.toMatchObject(wrong);
    await expect(bench({ ...request, protocol: 'slow' }, worker)).rejects.toMatchObject({ code: 'usage' });
  }, 20_000);

  it('does not time on a GPU that a worker uses', async () => {
    const lease = await lockGpu(fakeGpuUuid(0));
    const attempt = bench({ ...request, executor: 'fake-gpu' }, worker);
    await expect(attempt).rejects.toMatchObject({ code: 'device-in-use' });
    await lease.close();
  }, 20_000);
});
