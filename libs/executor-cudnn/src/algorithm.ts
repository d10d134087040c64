import type { PrepareResult } from '@alphaflops/executor';
import type { DevicePointer } from './cuda.js';
import type { Algorithm, ConvBuffers, ConvDescriptors } from './cudnn.js';
import type { Device } from './device.js';
import type { DeviceMemory } from './device-memory.js';
import { GpuError } from '@alphaflops/nvidia';

export type Chosen =
  | { readonly ok: true; readonly algorithm: Algorithm; readonly buffers: ConvBuffers }
  | Extract<PrepareResult, { ok: false }>;

/** How an algorithm is chosen: the first that cuDNN's heuristic proposes, or the fastest that cuDNN has timed. */
export type AlgorithmChoice = 'heuristic' | 'find';

/** The first algorithm of the choice that has room for its workspace and runs. Its result is in the output. */
export function chooseAlgorithm(
  device: Device,
  memory: DeviceMemory,
  descriptors: ConvDescriptors,
  tensors: Omit<ConvBuffers, 'workspace' | 'workspaceBytes'>,
  choice: AlgorithmChoice,
): Chosen {
  const { cuda, cudnn, handle, stream } = device;
  const proposed = cudnn.proposeAlgorithms(handle, descriptors);
  const candidates =
    choice === 'heuristic'
      ? proposed
      : cudnn.timeAlgorithms(handle, descriptors, { ...tensors, ...largestWorkspace(memory, proposed) });
  let outOfMemory: GpuError | null = null;
  let unsupported: GpuError | null = null;
  for (const { algorithm, mathType } of candidates) {
    try {
      cudnn.setMathType(descriptors.conv, mathType);
      const workspaceBytes = cudnn.workspaceBytes(handle, descriptors, algorithm);
      const buffers = { ...tensors, ...workspace(memory, workspaceBytes) };
      cudnn.forward(handle, descriptors, buffers, algorithm);
      cuda.synchronize(stream);
      return { ok: true, algorithm: { algorithm, mathType, workspaceBytes }, buffers };
    } catch (error) {
      if (!(error instanceof GpuError)) throw error;
      if (error.isOutOfMemory) outOfMemory = error;
      else if (error.isUnsupported) unsupported = error;
      else throw error;
    }
  }
  if (outOfMemory !== null) {
    const reason = `no algorithm's workspace has room: ${outOfMemory.message}`;
    return { ok: false, outcome: 'out-of-memory', reason };
  }
  const why = unsupported?.message ?? 'it proposes none';
  return { ok: false, outcome: 'unsupported', reason: `cuDNN has no algorithm for it: ${why}` };
}

function workspace(
  memory: DeviceMemory,
  bytes: number,
): { workspace: DevicePointer; workspaceBytes: number } {
  if (bytes === 0) return { workspace: 0n, workspaceBytes: 0 };
  return { workspace: memory.take('workspace', bytes).pointer, workspaceBytes: bytes };
}

/** Room for as many of the algorithms as the device has memory for. */
function largestWorkspace(
  memory: DeviceMemory,
  algorithms: readonly Algorithm[],
): ReturnType<typeof workspace> {
  const sizes = algorithms.map(({ workspaceBytes }) => workspaceBytes).sort((a, b) => b - a);
  for (const bytes of sizes) {
    try {
      return workspace(memory, bytes);
    } catch (error) {
      if (!(error instanceof GpuError && error.isOutOfMemory)) throw error;
    }
  }
  return workspace(memory, 0);
}
