import type { Conditions } from '@alphaflops/contracts';
import { bytes, kernelPoints, outputPoints, type ConvSpec } from '@alphaflops/conv';
import {
  ExecutorSession,
  type PreparedConv,
  type PrepareOptions,
  type PrepareResult,
} from '@alphaflops/executor';
import type { OutputPoint } from '@alphaflops/measure';
import type { Backend } from './backend-type.js';
import {
  allocateConv,
  BUFFER_ORDER,
  outOfMemory,
  outputIndex,
  whyUnsupported,
  type TfConv,
} from './tf-conv.js';

const POINTER_BYTES = 4;
const REFERENCE_SEED = 1;

/** The part of the device that a session uses. */
export interface SessionDevice {
  readConditions(): Promise<Conditions>;
  close(): void;
}

/** Convolutions on one TensorFlow.js backend. */
export class TfjsSession extends ExecutorSession {
  override readonly referenceMs?: () => Promise<number>;
  private reference: TfConv | null = null;

  /** @param reference a convolution of one or two milliseconds, if other programs can slow down the device */
  constructor(
    private readonly backend: Backend,
    private readonly device: SessionDevice,
    reference?: ConvSpec,
  ) {
    super();
    if (reference === undefined) return;
    this.referenceMs = () => {
      this.reference ??= allocateConv(backend.tf, reference, REFERENCE_SEED);
      return Promise.resolve(backend.timeMs(this.reference.run, 1));
    };
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the backends compute synchronously
  async prepare(spec: ConvSpec, options: PrepareOptions): Promise<PrepareResult> {
    const executor = `tfjs-${this.backend.name}`;
    const reason = whyUnsupported(executor, this.backend.tf, spec, options);
    if (reason !== null) return { ok: false, outcome: 'unsupported', reason };
    const { input, weights, output, total } = bytes(spec);
    const scratch = this.scratchBytes(spec);
    const tooMuch = outOfMemory(total + scratch, `more than ${executor} can allocate`);
    if (!this.backend.canAllocate([input, weights, output, scratch])) return tooMuch;
    try {
      const conv = allocateConv(this.backend.tf, spec, options.seed);
      if (this.backend.fits?.(conv.run) === false) {
        this.backend.tf.dispose([...conv.tensors]);
        return tooMuch;
      }
      return { ok: true, conv: new TfjsConv(this.backend, spec, conv) };
    } catch (error) {
      // V8's error for an array that it cannot allocate.
      if (error instanceof Error && error.name === 'RangeError') return tooMuch;
      throw error;
    }
  }

  readConditions(): Promise<Conditions> {
    return this.device.readConditions();
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- nothing to wait for
  async dispose(): Promise<void> {
    // Every PreparedConv frees its own tensors; the backend stays for the life of the process.
    if (this.reference !== null) this.backend.tf.dispose([...this.reference.tensors]);
    this.reference = null;
    this.device.close();
  }

  /**
   * Estimate of the memory that XNNPACK, which the wasm backend uses, allocates in addition to the tensors: the transposed and
   * packed weights, and for kernels with more than one point a pointer for every pair of output point and kernel point.
   */
  private scratchBytes(spec: ConvSpec): number {
    if (this.backend.name !== 'wasm') return 0;
    const pointers = kernelPoints(spec) === 1 ? 0 : outputPoints(spec) * kernelPoints(spec);
    return 2 * bytes(spec).weights + POINTER_BYTES * pointers;
  }
}

class TfjsConv implements PreparedConv {
  readonly bufferOrder = BUFFER_ORDER;
  readonly tolerance: number;
  readonly algorithm: string;
  readonly workspaceBytes = null;
  readonly eagerMs?: () => Promise<number>;

  constructor(
    private readonly backend: Backend,
    private readonly spec: ConvSpec,
    private readonly conv: TfConv,
  ) {
    this.tolerance = backend.tolerance;
    this.algorithm = `${conv.operation} NHWC`;
    const { eagerMs } = backend;
    if (eagerMs !== undefined) this.eagerMs = () => Promise.resolve(eagerMs(conv.run));
  }

  timeBatchMs(inner: number): Promise<number> {
    return Promise.resolve(this.backend.timeMs(this.conv.run, inner));
  }

  async outputPoints(points: readonly OutputPoint[]): Promise<number[]> {
    const result = this.conv.run();
    this.backend.assertAllocated(result);
    const data = await result.data();
    result.dispose();
    return points.map((point) => data[outputIndex(this.spec, point)] ?? NaN);
  }

  dispose(): Promise<void> {
    this.backend.tf.dispose([...this.conv.tensors]);
    return Promise.resolve();
  }
}
