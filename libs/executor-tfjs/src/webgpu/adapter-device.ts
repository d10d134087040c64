import { describeHost, ExecutorError, type ProbedDevice } from '@alphaflops/executor';
import { describeProcessor, localUuid } from '../host-processor.js';
import { isSoftware } from './dawn.js';
import { nvidiaGpus } from './nvidia-gpus.js';

interface Identity {
  readonly uuid: string;
  readonly sku: string;
}

/** The device for an adapter, by WebGPU's information. Throws `ExecutorError('start-failed')` when it cannot be distinguished from others. */
export async function describeAdapter(
  adapter: Pick<GPUAdapter, 'info'>,
  executor: { readonly name: string; readonly version: string },
  libraries: Readonly<Record<string, string>>,
  gpus = nvidiaGpus,
): Promise<ProbedDevice> {
  const { info } = adapter;
  const software = isSoftware(info);
  const { uuid, sku } = software ? await identifySoftware(info) : await identifyGpu(info, gpus);
  const { vendor, architecture, device, description } = info;
  return {
    uuid,
    sku,
    kind: software ? 'cpu' : 'gpu',
    executor: executor.name,
    memoryBytes: null,
    smCount: null,
    provenance: {
      schema: 'alphaflops.provenance/1',
      device: {
        uuid,
        sku,
        vendor,
        architecture,
        device,
        driver: description,
        isFallbackAdapter: info.isFallbackAdapter,
        isSoftware: software,
      },
      executor: { name: executor.name, version: executor.version },
      libraries: { ...libraries, driver: description },
      mathMode: 'f32',
      host: describeHost(),
    },
  };
}

/** A software adapter uses the processor, so that it is the same physical device. */
async function identifySoftware({ device }: GPUAdapterInfo): Promise<Identity> {
  const { uuid, model } = await describeProcessor();
  // Dawn replaces every character that is not a letter by a hyphen, also at the end.
  return { uuid, sku: `${device.replace(/-+$/, '')} (software) on ${model}` };
}

/**
 * WebGPU has no ids. If NVIDIA's driver reports only one GPU, the device gets the id of this GPU, so that no other executor
 * times on it at the same time.
 */
async function identifyGpu(
  { vendor, architecture, device }: GPUAdapterInfo,
  gpus: typeof nvidiaGpus,
): Promise<Identity> {
  const candidates = vendor === 'nvidia' ? await gpus() : [];
  if (candidates.length > 1) {
    throw new ExecutorError(
      'start-failed',
      `there are ${candidates.length} NVIDIA GPUs, and WebGPU does not tell which of them it uses; ` +
        'give the worker a container with one of them, or use cudnn',
    );
  }
  const [gpu] = candidates;
  const uuid = gpu?.uuid ?? (await localUuid('gpu', [vendor, architecture, device]));
  if (gpu !== undefined) return { uuid, sku: gpu.model };
  return {
    uuid,
    sku: [vendor, device || architecture].filter((word) => word !== '').join(' ') || 'unknown GPU',
  };
}
