import { protocolNamed, withEnergy } from '@alphaflops/measure';
import { executorConformance } from './conformance.js';
import { loadExecutor } from './adapter-module.js';
import {
  createExecutor,
  FAKE_EXECUTORS,
  FAKE_POWER_W,
  fakeGpuUuid,
  fakeSpec,
  fakeTimeMs,
} from './fake-executor.js';
import { describeDevice } from './executor.js';
import { measureSpec } from './measure-spec.js';
import { systemClock } from './system-clock.js';
import { DeviceDescriptionSchema } from '@alphaflops/contracts';

describe.each(FAKE_EXECUTORS)('the executor %s conforms', (name) => {
  executorConformance({
    computes: () => true,
    createExecutor: () => createExecutor(name),
    unsupported: [{ spec: fakeSpec('slow', { dtype: 'bf16' }), reason: /bf16/ }],
    huge: fakeSpec('out-of-memory'),
    grouped: 'computed',
  });
});

it.each(['unsupported', 'out-of-memory', 'wrong-result', 'noisy'] as const)(
  'ends as %s when requested',
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

it('takes a quarter longer for everything after a slow-down', async () => {
  const session = await createExecutor('fake').open('fake-device-0');
  const spec = fakeSpec('slow', { width: 1 });
  const timeMs = async () => {
    const { timing } = await measureSpec(session, spec, protocolNamed('gpu'), systemClock);
    return timing?.timeMs ?? NaN;
  };
  const before = await timeMs();
  await measureSpec(session, fakeSpec('slow-down'), protocolNamed('gpu'), systemClock);
  expect((await timeMs()) / before).toBeCloseTo(1.25, 6);
});

it.each([
  ['fake', null],
  ['fake-gpu', FAKE_POWER_W.busy],
])('%s measures energy: %s W', async (name, powerW) => {
  const session = await createExecutor(name).open(name === 'fake' ? 'fake-device-0' : fakeGpuUuid(0));
  const spec = fakeSpec('slow', { width: 1 });
  const { timing } = await measureSpec(session, spec, withEnergy(protocolNamed('gpu')), systemClock);
  expect(timing?.energyMillijoules).toEqual(
    powerW === null ? null : expect.closeTo(powerW * fakeTimeMs(spec), 9),
  );
  expect(timing?.energy).toMatchObject({ measured: powerW !== null });
});

it('must be requested by name', async () => {
  expect(() => createExecutor('cudnn')).toThrow(
    'there is no executor "cudnn" here, only "fake", "fake-gpu", "fake-one"',
  );
  await expect(
    loadExecutor({ module: '@alphaflops/no-such-adapter', executor: 'fake' }),
  ).rejects.toMatchObject({
    code: 'start-failed',
    message: expect.stringContaining('@alphaflops/no-such-adapter') as string,
  });
  await expect(loadExecutor({ module: 'node:path', executor: 'fake' })).rejects.toThrow(
    '"node:path" is not an adapter: it exports no createExecutor',
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
