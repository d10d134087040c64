import type { KernelLabels, LabelKernelsJob } from '@alphaflops/contracts';
import { LabelProcess } from '@alphaflops/executor-cudnn/label-kernels';
import { kernelMapShapes } from '@alphaflops/planning/kernel-map-shapes';
import { labelJobDigest, seal } from '@alphaflops/provenance';
import type { Origin } from './batch.js';
import type { Performer } from './performer.js';

/** Settings for cuDNN on this machine. */
export interface LabelSettings {
  /** JSON of the device, as cuDNN writes it. */
  readonly deviceProperties: string;
  readonly libraryPath: readonly string[];
}

/** Does `label-kernels` jobs: cuDNN runs in a separate process, and nothing is measured. */
export function labelling(
  { workerId, deviceId, signingKey }: Origin,
  settings: LabelSettings,
): Performer<'label-kernels'> {
  return {
    done: 'labelled',
    describe: ({ mapId, shapes }) => ({ map: mapId, n: shapes }),
    perform: async (job, { attempt, signal }) => {
      const labels = await labelsOf(job, settings, signal);
      const label = { workerId, deviceId, attempt, batchDigest: labelJobDigest(job) };
      const { seal: result, body } = await seal(label, labels, signingKey);
      return { result, body, summary: { kernels: labels.kernels.length } };
    },
  };
}

async function labelsOf(
  { key, shapes }: LabelKernelsJob,
  { deviceProperties, libraryPath }: LabelSettings,
  signal: AbortSignal,
): Promise<KernelLabels> {
  const child = await LabelProcess.start({
    deviceProperties,
    tf32: key.mathMode === 'tf32',
    padding: 'cudnn',
    libraryPath: [...libraryPath],
  });
  const stop = (): void => {
    child.close();
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    const numbers = new Map<string, number>();
    const labels: number[] = [];
    for await (const { kernel } of child.label(kernelMapShapes(shapes))) {
      if (signal.aborted) throw new Error('the job was taken away');
      if (kernel !== null && !numbers.has(kernel)) numbers.set(kernel, numbers.size);
      labels.push(kernel === null ? -1 : (numbers.get(kernel) ?? -1));
    }
    const { cudnn: cudnnVersion, computeCapability } = child;
    return { cudnnVersion, computeCapability, kernels: [...numbers.keys()], labels };
  } finally {
    signal.removeEventListener('abort', stop);
    child.close();
  }
}
