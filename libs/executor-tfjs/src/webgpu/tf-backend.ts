import * as tf from '@tensorflow/tfjs-core';
import type { TfConv } from '../tf-conv.js';
import { recordDispatches, type Dispatch } from './recording.js';

/** Private parts of the WebGPU backend of TensorFlow.js 4.22.0 that are needed here. */
interface Internals {
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
  runWebGPUProgram(program: object, ...more: unknown[]): unknown;
  /** Of what was submitted, to be used again from then on. */
  readonly uniformPendingDisposal: GPUBuffer[];
  readonly tensorDataPendingDisposal: object[];
  readonly tensorMap: { get(dataId: object): { readonly resource?: GPUBuffer } | undefined };
  readonly bufferManager: {
    readonly freeBuffers: Map<string, GPUBuffer[]>;
    numFreeBuffers: number;
    numBytesAllocated: number;
  };
}

/** Where TensorFlow.js looks for WebGPU; Node has a navigator since version 21. */
const browser = globalThis as { navigator?: object };

/** A recorded convolution of TensorFlow.js, which can be replayed until it is released. */
export interface Recording {
  readonly dispatches: readonly Dispatch[];
  /** The result, in f32 and NHWC. */
  readonly output: GPUBuffer;
  /** Names of TensorFlow.js's shader programs. */
  readonly programs: readonly string[];
  /** Of what one shader leaves for the next. */
  readonly workspaceBytes: number;
  release(): void;
}

/** TensorFlow.js on a WebGPU device, the active backend of this process until it is disposed. */
export class TfBackend {
  private constructor(
    private readonly device: GPUDevice,
    private readonly internals: Internals,
  ) {}

  static async activate(gpu: GPU, device: GPUDevice, info: GPUAdapterInfo): Promise<TfBackend> {
    const { WebGPUBackend } = await import('@tensorflow/tfjs-backend-webgpu');
    // The backend needs it. It is set after the import, which would otherwise request an adapter itself.
    browser.navigator ??= {};
    Object.defineProperty(browser.navigator, 'gpu', { value: gpu, configurable: true });
    const backend = new WebGPUBackend(device, info);
    tf.registerBackend('webgpu', () => backend);
    await tf.setBackend('webgpu');
    // Small tensors would be computed on the processor.
    tf.env().set('WEBGPU_CPU_FORWARD', false);
    return new TfBackend(device, backend as unknown as Internals);
  }

  /** Starts all requested work. */
  flush(): void {
    this.internals.ensureCommandEncoderReady();
    // Without this, the commands in an open pass are not submitted.
    this.internals.endComputePassEncoder();
    this.internals.submitQueue();
  }

  /** Uploads, compiles, and records one run. */
  record(conv: TfConv): Recording {
    const { internals, device } = this;
    conv.run().dispose();
    this.flush();
    const programs: string[] = [];
    const runProgram = internals.runWebGPUProgram.bind(internals);
    internals.runWebGPUProgram = (program, ...more) => {
      programs.push(program.constructor.name);
      return runProgram(program, ...more);
    };
    let recorded: { result: tf.Tensor; dispatches: Dispatch[] };
    try {
      recorded = recordDispatches(device, () => conv.run());
    } finally {
      internals.runWebGPUProgram = runProgram;
    }
    const { result, dispatches } = recorded;
    // Other buffers of the dispatches must not be reused for other work while they are replayed.
    const uniforms = internals.uniformPendingDisposal.splice(0);
    const intermediates = internals.tensorDataPendingDisposal.splice(0);
    this.flush();
    const bufferOf = (dataId: object): GPUBuffer | undefined => internals.tensorMap.get(dataId)?.resource;
    const output = bufferOf(result.dataId);
    if (dispatches.length === 0 || output === undefined) {
      throw new Error('TensorFlow.js did not compute this convolution on the device');
    }
    const workspaceBytes = intermediates.reduce((total, dataId) => total + (bufferOf(dataId)?.size ?? 0), 0);
    const release = (): void => {
      internals.uniformPendingDisposal.push(...uniforms);
      internals.tensorDataPendingDisposal.push(...intermediates);
      result.dispose();
    };
    return { dispatches, output, programs, workspaceBytes, release };
  }

  /** Destroys the buffers that TensorFlow.js keeps for tensors of the same size, because shapes seldom repeat. */
  freeUnused(): void {
    this.flush();
    const { bufferManager } = this.internals;
    for (const [key, buffers] of bufferManager.freeBuffers) {
      for (const buffer of buffers) {
        buffer.destroy();
        bufferManager.numBytesAllocated -= buffer.size;
      }
      bufferManager.numFreeBuffers -= buffers.length;
      bufferManager.freeBuffers.set(key, []);
    }
  }

  /** Bytes of all buffers that TensorFlow.js has on the device, in use or not. */
  get allocatedBytes(): number {
    return this.internals.bufferManager.numBytesAllocated;
  }

  dispose(): void {
    tf.removeBackend('webgpu');
    // As long as a reference to it exists, Dawn keeps the process alive.
    if (browser.navigator !== undefined) Reflect.deleteProperty(browser.navigator, 'gpu');
  }
}
