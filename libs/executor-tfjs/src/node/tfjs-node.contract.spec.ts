/** With a real TensorFlow, which is too large for every run: `npm run test:tfjs-node` installs it and sets the variable. */
import { ExecutorHost, probeAll } from '@alphaflops/executor';
import { executorConformance } from '@alphaflops/executor/testing';
import { protocolNamed } from '@alphaflops/measure';
import { activate } from '../backend.js';
import { createExecutor } from '../index.js';
import { CONV_3X3, floorMs, HUGE, UNSUPPORTED } from '../specs.spec.helper.js';

const folder = process.env['ALPHAFLOPS_TEST_TFJS_NODE'];
const title = 'tfjs-node on a real TensorFlow';
if (folder === undefined) it.skip(`${title}: run npm run test:tfjs-node`, () => undefined);
else
  describe(title, () => {
    conforms({ folder });
  });

function conforms(settings: { folder: string }): void {
  let tensors: () => number;
  beforeAll(async () => {
    const { tf } = await activate('node', settings);
    tensors = () => tf.memory().numTensors;
  });

  executorConformance({
    createExecutor: () => createExecutor('tfjs-node', settings),
    unsupported: UNSUPPORTED,
    huge: HUGE,
    grouped: 'unsupported',
    allocations: () => tensors(),
  });

  it('measures in a child, on one thread, with the eager time beside', async () => {
    const module = '@alphaflops/executor-tfjs';
    const executor = 'tfjs-node';
    const [probed] = await probeAll([{ module, executor, settings }]);
    if (probed?.result.ok !== true) throw new Error(JSON.stringify(probed));
    const [device] = probed.result.devices;
    expect(device?.provenance.libraries).toMatchObject({
      'tfjs-node': '4.22.0',
      tensorflow: expect.stringMatching(/^2\.\d+\.\d+$/),
      threads: '1',
      timer: expect.stringMatching(/^slope of /),
    });
    const host = new ExecutorHost({ module, executor, settings, deviceUuid: device?.uuid ?? '' });
    try {
      const spec = { ...CONV_3X3, height: 56, width: 56, cin: 64, cout: 64 };
      const measurement = await host.measure(spec, protocolNamed('quick-cpu'));
      // Other programs on the host may make it noisy. The test checks the result.
      expect(['ok', 'noisy']).toContain(measurement.outcome);
      expect(measurement.timing?.timeMs).toBeGreaterThan(floorMs(spec));
      expect(measurement.timing?.eagerMs).toBeGreaterThan(floorMs(spec));
      expect(await host.measure(HUGE, protocolNamed('quick-cpu'))).toMatchObject({
        outcome: 'out-of-memory',
      });
    } finally {
      await host.close();
    }
  });
}
