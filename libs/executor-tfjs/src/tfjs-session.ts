import type { Conditions } from '@alphaflops/contracts';
import { bytes, outputSize, kernelPoints, outputPoints, paddingSizes, type ConvSpec } from '@alphaflops/conv';
import {
  ExecutorSession,
  type PreparedConv,
  type PrepareOptions,
  type PrepareResult,
} from '@alphaflops/executor';
import { F32_TOLERANCE, seededArray, type BufferOrder, type OutputPoint } from '@alphaflops/measure';
import type * as tf from '@tensorflow/tfjs-core';
import type { Backend } from './backend.js';
import { readProcessorConditions } from './host-processor.js';

const BUFFER_ORDER: BufferOrder = { input: 'NHWC', weights: 'HWIO' };
const POINTER_BYTES = 4;

type Pair = [before: number, after: number];

/** Convolutions on one TensorFlow.js backend. Both layouts of a spec are run as NHWC, the only one there is. */
export class TfjsSession extends ExecutorSession {
  constructor(private readonly backend: Backend) {
    super();
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the backends compute synchronously
  async prepare(spec: ConvSpec, options: PrepareOptions): Promise<PrepareResult> {
    const reason = this.whyUnsupported(spec, options);
    if (reason !== null) return { ok: false, outcome: 'unsupported', reason };
    const { input, weights, output, total } = bytes(spec);
    const scratch = this.scratchBytes(spec);
    if (!this.backend.canAllocate([input, weights, output, scratch])) {
      return outOfMemory(total + scratch, this.backend.name);
    }
    try {
      return { ok: true, conv: new TfjsConv(this.backend, spec, options.seed) };
    } catch (error) {
      // V8's word for an array that it cannot allocate.
      if (error instanceof Error && error.name === 'RangeError') {
        return outOfMemory(total + scratch, this.backend.name);
      }
      throw error;
    }
  }

  readConditions(): Promise<Conditions> {
    return readProcessorConditions();
  }

  async dispose(): Promise<void> {
    // Every PreparedConv frees its own tensors; the backend stays for the life of the process.
  }

  private whyUnsupported(spec: ConvSpec, { mode }: PrepareOptions): string | null {
    const executor = `tfjs-${this.backend.name}`;
    if (spec.dtype !== 'f32') return `${executor} computes in f32 only, not in ${spec.dtype}`;
    if (mode !== 'hot') return `${executor} does not measure with cold caches`;
    if (spec.groups !== 1 && !isDepthwise(spec)) {
      return (
        `${executor} has no grouped convolution: groups must be 1, or equal to cin (depthwise); ` +
        `here groups is ${spec.groups} and cin ${spec.cin}`
      );
    }
    return null;
  }

  /**
   * What XNNPACK, behind the wasm backend, allocates besides the tensors: the weights transposed and packed, and for
   * kernels of more than one point a pointer for every output point and kernel point. An estimate.
   */
  private scratchBytes(spec: ConvSpec): number {
    if (this.backend.name !== 'wasm') return 0;
    const pointers = kernelPoints(spec) === 1 ? 0 : outputPoints(spec) * kernelPoints(spec);
    return 2 * bytes(spec).weights + POINTER_BYTES * pointers;
  }
}

function isDepthwise(spec: ConvSpec): boolean {
  return spec.groups === spec.cin && spec.groups > 1;
}

function outOfMemory(neededBytes: number, backend: string): PrepareResult {
  const mebibytes = Math.ceil(neededBytes / 2 ** 20);
  const reason = `about ${mebibytes} MiB are needed, more than tfjs-${backend} can allocate`;
  return { ok: false, outcome: 'out-of-memory', reason };
}

class TfjsConv implements PreparedConv {
  readonly bufferOrder = BUFFER_ORDER;
  readonly tolerance = F32_TOLERANCE;
  readonly algorithm: string;
  readonly workspaceBytes = null;
  readonly eagerMs?: () => Promise<number>;
  private readonly tensors: [tf.Tensor4D, tf.Tensor4D];
  private readonly run: () => tf.Tensor4D;

  constructor(
    private readonly backend: Backend,
    private readonly spec: ConvSpec,
    seed: number,
  ) {
    const { batch, height, width, cin, cout, kernel_h, kernel_w, stride } = spec;
    const { top, bottom, left, right } = paddingSizes(spec);
    // In numbers, not by name: TensorFlow.js makes `same` negative where a kernel is smaller than the stride, and the
    // WASM backend then returns zeros without an error.
    const padding: [Pair, Pair, Pair, Pair] = [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ];
    const depthwise = isDepthwise(spec);
    const inputShape: [number, number, number, number] = [batch, height, width, cin];
    // Of one group's input channel, each has cout / groups filters: the same order of weights in both shapes.
    const weightShape: [number, number, number, number] = depthwise
      ? [kernel_h, kernel_w, cin, cout / cin]
      : [kernel_h, kernel_w, cin, cout];
    const { tf } = backend;
    // Frees the first tensor if there is no room for the second.
    const [x, w] = (this.tensors = tf.tidy(() => [
      tf.tensor4d(seededArray('input', seed, product(inputShape)), inputShape),
      tf.tensor4d(seededArray('weights', seed, product(weightShape)), weightShape),
    ]));
    this.algorithm = depthwise ? 'depthwiseConv2d NHWC' : 'conv2d NHWC';
    this.run = depthwise
      ? () => tf.depthwiseConv2d(x, w, stride, padding)
      : () => tf.conv2d(x, w, stride, padding);
    const { eagerMs } = backend;
    if (eagerMs !== undefined) this.eagerMs = () => Promise.resolve(eagerMs(this.run));
  }

  timeBatchMs(inner: number): Promise<number> {
    return Promise.resolve(this.backend.timeMs(this.run, inner));
  }

  async outputPoints(points: readonly OutputPoint[]): Promise<number[]> {
    const result = this.run();
    this.backend.assertAllocated(result);
    const data = await result.data();
    result.dispose();
    const { height, width } = outputSize(this.spec);
    return points.map(({ image, row, column, channel }) => {
      const index = ((image * height + row) * width + column) * this.spec.cout + channel;
      return data[index] ?? NaN;
    });
  }

  dispose(): Promise<void> {
    this.backend.tf.dispose(this.tensors);
    return Promise.resolve();
  }
}

function product(shape: readonly number[]): number {
  return shape.reduce((size, axis) => size * axis, 1);
}
