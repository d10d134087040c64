import { createRequire } from 'node:module';
import { VERSION, errorText } from '@alphaflops/contracts';
import {
  Executor,
  ExecutorError,
  type ExecutorSession,
  type ProbedDevice,
  type ProbeResult,
} from '@alphaflops/executor';
import { claimProcess } from '../one-backend.js';
import { describeAdapter } from './adapter-device.js';
import { createDawn, requestAdapter, type AdapterWish } from './dawn.js';
import { WebGpuSession } from './webgpu-session.js';

const require = createRequire(import.meta.url);
const versionOf = (packageName: string): string =>
  (require(`${packageName}/package.json`) as { version: string }).version;

/** A GPU of any vendor through WebGPU: TensorFlow.js with Dawn. It uses the adapter that Dawn prefers. */
export class WebGpuExecutor extends Executor {
  readonly name = 'tfjs-webgpu';
  readonly version = VERSION;

  constructor(private readonly wish: AdapterWish) {
    super();
  }

  async probe(): Promise<ProbeResult> {
    try {
      const { device } = await this.find();
      return { ok: true, devices: [device] };
    } catch (error) {
      return { ok: false, reason: errorText(error) };
    }
  }

  async open(deviceUuid: string): Promise<ExecutorSession> {
    const { gpu, adapter, device } = await this.find();
    if (device.uuid !== deviceUuid) {
      const message = `there is no device "${deviceUuid}" here; WebGPU’s is "${device.uuid}", ${device.sku}`;
      throw new ExecutorError('unknown-device', message);
    }
    claimProcess(this.name);
    return await WebGpuSession.open(gpu, adapter);
  }

  /** Throws `ExecutorError('start-failed')` that says what is missing. */
  private async find(): Promise<{ gpu: GPU; adapter: GPUAdapter; device: ProbedDevice }> {
    const gpu = await createDawn().catch((cause: unknown) => {
      const message = `Dawn, of the package webgpu, cannot be loaded here: ${String(cause)}`;
      throw new ExecutorError('start-failed', message, { cause });
    });
    const answer = await requestAdapter(gpu, this.wish);
    if (!answer.ok) throw new ExecutorError('start-failed', answer.reason);
    const libraries = {
      'tfjs-core': versionOf('@tensorflow/tfjs-core'),
      'tfjs-backend-webgpu': versionOf('@tensorflow/tfjs-backend-webgpu'),
      webgpu: versionOf('webgpu'),
      'memory-layout': 'NHWC',
      timer: 'replay between timestamps',
    };
    return { gpu, adapter: answer.adapter, device: await describeAdapter(answer.adapter, this, libraries) };
  }
}
