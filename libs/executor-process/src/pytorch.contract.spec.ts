/** The PyTorch program on the processor, where PyTorch is installed; on the build (`npm run build` first). */
import { CONV_SPEC_DEFAULTS, type ConvSpec } from '@alphaflops/conv';
import { ExecutorHost } from '@alphaflops/executor';
import { executorConformance } from '@alphaflops/executor/testing';
import { protocolNamed } from '@alphaflops/measure';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createExecutor } from './index.js';

const PROGRAM = fileURLToPath(
  new URL('../../../tools/pytorch-executor/alphaflops_pytorch.py', import.meta.url),
);
/** Another Python than that on the PATH may have PyTorch. */
const PYTHON = process.env['ALPHAFLOPS_TEST_PYTHON'] ?? 'python3';
const SPEC: ConvSpec = {
  ...CONV_SPEC_DEFAULTS,
  height: 16,
  width: 16,
  cin: 8,
  cout: 8,
  kernel_h: 3,
  kernel_w: 3,
};

const settings = { command: `"${PYTHON}" "${PROGRAM}" --device cpu` };
const hasTorch = spawnSync(PYTHON, ['-c', 'import torch']).status === 0;
if (!hasTorch) it.skip(`${PYTHON} cannot import torch: the PyTorch program cannot run`, () => undefined);

(hasTorch ? describe : describe.skip)('PyTorch on the processor', () => {
  executorConformance({
    createExecutor: () => createExecutor('process', settings),
    unsupported: [],
    huge: { ...SPEC, height: 1_048_576, width: 1_048_576 },
    grouped: 'computed',
    computes: () => true,
  });

  it.each(['f16', 'bf16'] as const)(
    'measures in the worker, %s too',
    async (dtype) => {
      const probed = await createExecutor('process', settings).probe();
      if (!probed.ok) throw new Error(probed.reason);
      const [device] = probed.devices;
      expect(device?.provenance.libraries).toMatchObject({ timer: 'perf_counter', threads: '1' });
      const module = '@alphaflops/executor-process';
      const deviceUuid = device?.uuid ?? '';
      const host = new ExecutorHost({ module, executor: 'process', settings, deviceUuid });
      try {
        // A neighbour on the host may make it noisy: right is what was computed.
        const outcomes = ['ok', 'noisy'];
        expect(outcomes).toContain((await host.measure(SPEC, protocolNamed('quick-cpu'))).outcome);
        const half = await host.measure({ ...SPEC, dtype }, protocolNamed('quick-cpu'));
        expect([...outcomes, 'unsupported']).toContain(half.outcome);
      } finally {
        await host.close();
      }
    },
    60_000,
  );
});
