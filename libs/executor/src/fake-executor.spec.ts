import { protocolNamed } from '@alphaflops/measure';
import { executorConformance } from './conformance.js';
import { loadExecutor } from './adapter-module.js';
import { createExecutor, fakeSpec, fakeTimeMs } from './fake-executor.js';
import { describeDevice } from './executor.js';
import { measureSpec } from './measure-spec.js';
import { systemClock } from './system-clock.js';
import { DeviceDescriptionSchema } from '@alphaflops/contracts';

describe('the fake executor conforms', () => {
  executorConformance({
    createExecutor: () => createExecutor('fake'),
    unsupported: [{ spec: fakeSpec('slow', { dtype: 'bf16' }), reason: /bf16/ }],
    huge: fakeSpec('out-of-memory'),
    grouped: 'computed',
  });
});

it.each(['unsupported', 'out-of-memory', 'wrong-result', 'noisy'] as const)(
  'ends as %s when asked',
  async (behaviour) => {
    const session = await createExecutor('fake').open('fake-device-0');
    for (const name of ['gpu', 'cpu', 'quick-cpu']) {
      const measurement = await measureSpec(session, fakeSpec(behaviour), protocolNamed(name), systemClock);
      expect(measurement.outcome).toBe(behaviour);
    }
  },
);

it('follows its timing law', async () => {
  const session = await createExecutor('fake').open('fake-device-1');
  const spec = { ...fakeSpec('slow'), kernel_h: 3, kernel_w: 3, cin: 64, cout: 64, height: 56, width: 56 };
  const measurement = await measureSpec(session, spec, protocolNamed('gpu'), systemClock);
  expect(measurement.outcome).toBe('ok');
  expect(Math.abs((measurement.timing?.timeMs ?? 0) / fakeTimeMs(spec) - 1)).toBeLessThan(0.01);
});

it('must be asked for by name', async () => {
  expect(() => createExecutor('cudnn')).toThrow('there is no executor "cudnn" here, only "fake"');
  await expect(
    loadExecutor({ module: '@alphaflops/no-such-adapter', executor: 'fake' }),
  ).rejects.toMatchObject({
    code: 'start-failed',
    message: expect.stringContaining('@alphaflops/no-such-adapter') as string,
  });
  await expect(loadExecutor({ module: 'node:path', executor: 'fake' })).rejects.toThrow(
    '"node:path" is no adapter: it exports no createExecutor',
  );
});

it('describes a probed device with the worker that found it', async () => {
  const probed = await createExecutor('fake').probe();
  if (!probed.ok) throw new Error(probed.reason);
  const worker = { version: '0.1.0', commit: null, dirty: null };
  const described = probed.devices.map((device) => describeDevice(device, worker));
  expect(DeviceDescriptionSchema.array().parse(described)).toEqual(described);
  expect(described[0]?.provenance.worker).toEqual(worker);
});
