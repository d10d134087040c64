/** The adapter as the worker runs it: in a child process, on the build (`npm run build` first). */
import { DeviceDescriptionSchema } from '@alphaflops/contracts';
import { describeDevice, ExecutorHost, probeAll } from '@alphaflops/executor';
import { protocolNamed } from '@alphaflops/measure';
import { CONV_3X3, floorMs, HUGE, UNSUPPORTED } from './specs.spec.helper.js';

const module = '@alphaflops/executor-tfjs';

async function deviceOf(executor: string) {
  const [probed] = await probeAll([{ module, executor }]);
  if (probed?.result.ok !== true) throw new Error(JSON.stringify(probed));
  const [device] = probed.result.devices;
  if (device === undefined) throw new Error('no device');
  return device;
}

it.each(['tfjs-wasm', 'tfjs-cpu'])(
  '%s measures in a child',
  async (executor) => {
    const device = await deviceOf(executor);
    const host = new ExecutorHost({ module, executor, deviceUuid: device.uuid });
    const protocol = protocolNamed('quick-cpu');
    try {
      const measurement = await host.measure(CONV_3X3, protocol);
      // Other programs on the host may make it noisy. The test checks the result and the process that computed it.
      expect(['ok', 'noisy']).toContain(measurement.outcome);
      expect(measurement.timing?.timeMs).toBeGreaterThan(floorMs(CONV_3X3));
      const pid = host.childPid;
      expect(await host.measure(HUGE, protocol)).toMatchObject({ outcome: 'out-of-memory' });
      for (const { spec, reason } of UNSUPPORTED) {
        const reasonMatching = expect.stringMatching(reason) as string;
        expect(await host.measure(spec, protocol)).toMatchObject({
          outcome: 'unsupported',
          reason: reasonMatching,
        });
      }
      expect(host.childPid).toBe(pid);
    } finally {
      await host.close();
    }
  },
  30_000,
);

it('describes one physical device, distinguished by executor and libraries', async () => {
  const worker = { version: '0.1.0', commit: null, dirty: null };
  const [wasm, cpu] = [await deviceOf('tfjs-wasm'), await deviceOf('tfjs-cpu')];
  for (const device of [wasm, cpu]) {
    const described = describeDevice(device, worker);
    expect(DeviceDescriptionSchema.parse(described)).toEqual(described);
  }
  expect(wasm).toMatchObject({ uuid: cpu.uuid, sku: cpu.sku, kind: 'cpu', smCount: null });
  expect(wasm.provenance.libraries).toMatchObject({ 'tfjs-backend-wasm': '4.22.0', 'memory-layout': 'NHWC' });
  expect(cpu.provenance.libraries).toHaveProperty('tfjs-backend-cpu', '4.22.0');
}, 30_000);
