/** On a real GPU through its Vulkan, Metal or Direct3D driver; skipped, with the reason, without a GPU. */
import type { ConvSpec } from '@alphaflops/conv';
import { measureSpec, systemClock } from '@alphaflops/executor';
import { executorConformance } from '@alphaflops/executor/testing';
import { protocolNamed } from '@alphaflops/measure';
import { createExecutor } from '../index.js';
import { CONV_3X3, HUGE, UNSUPPORTED } from '../specs.spec.helper.js';

const probed = await createExecutor('tfjs-webgpu').probe();
const onGpu = probed.ok ? describe : describe.skip;
if (!probed.ok) it.skip(`no GPU for WebGPU here: ${probed.reason}`, () => undefined);

onGpu('tfjs-webgpu conforms on a GPU', () => {
  executorConformance({
    createExecutor: () => createExecutor('tfjs-webgpu'),
    unsupported: UNSUPPORTED,
    huge: HUGE,
    grouped: 'unsupported',
  });
});

onGpu('tfjs-webgpu on this GPU', () => {
  it('takes less time on the device than TensorFlow.js’s user waits', async () => {
    const device = probed.ok ? probed.devices[0] : undefined;
    const session = await createExecutor('tfjs-webgpu').open(device?.uuid ?? '');
    const layer: ConvSpec = { ...CONV_3X3, height: 56, width: 56, cin: 64, cout: 64 };
    const { timing } = await measureSpec(session, layer, protocolNamed('gpu'), systemClock);
    await session.dispose();
    expect(device?.kind).toBe('gpu');
    expect(timing?.timeMs).toBeLessThan(timing?.eagerMs ?? 0);
  });
});
