import type { Dtype, Layout } from '@alphaflops/conv';
import type { DevicePointer, Stream } from './cuda.js';
import { cudnnVersionText, GpuError, textIn, type Library, type NativeCall } from '@alphaflops/nvidia';

export type Handle = bigint;
export type Descriptor = bigint;

/** Names and values of the headers of cuDNN 8 and 9. */
const DATA_TYPES = { f32: 0, f16: 2, bf16: 9 } as const satisfies Record<Dtype, number>;
const FORMATS = { NCHW: 0, NHWC: 1 } as const satisfies Record<Layout, number>;
const CROSS_CORRELATION = 1;

/** cudnnMathType_t. `default` lets f32 be computed in TF32 on devices that have it, `fma` does not. */
export const MATH_TYPES = { default: 0, tensorOp: 1, tensorOpConversion: 2, fma: 3 } as const;
export const MATH_NAMES = ['DEFAULT_MATH', 'TENSOR_OP_MATH', 'TENSOR_OP_MATH_ALLOW_CONVERSION', 'FMA_MATH'];

/** cudnnConvolutionFwdAlgo_t. */
export const ALGORITHM_NAMES = [
  'IMPLICIT_GEMM',
  'IMPLICIT_PRECOMP_GEMM',
  'GEMM',
  'DIRECT',
  'FFT',
  'FFT_TILING',
  'WINOGRAD',
  'WINOGRAD_NONFUSED',
] as const;

/** A way to compute a convolution, as cuDNN proposes it. */
export interface Algorithm {
  readonly algorithm: number;
  readonly mathType: number;
  readonly workspaceBytes: number;
}

/** What a 4-dimensional tensor is like. Strides are in elements, in the order n, c, h, w. */
export interface TensorShape {
  readonly dtype: Dtype;
  readonly size: readonly [n: number, c: number, h: number, w: number];
  readonly stride: readonly [n: number, c: number, h: number, w: number];
}

/** The descriptors of one convolution. */
export interface ConvDescriptors {
  readonly input: Descriptor;
  readonly weights: Descriptor;
  readonly conv: Descriptor;
  readonly output: Descriptor;
}

/** Where its tensors are. */
export interface ConvBuffers {
  readonly input: DevicePointer;
  readonly weights: DevicePointer;
  readonly output: DevicePointer;
  readonly workspace: DevicePointer;
  readonly workspaceBytes: number;
}

/**
 * cudnnConvolutionFwdAlgoPerf_t: algo, status, time (4 bytes each), 4 of padding, memory (8), determinism, mathType,
 * reserved[3].
 */
const PERF = { bytes: 48, algo: 0, status: 4, memory: 16, mathType: 28 } as const;

const ONE = new Float32Array([1]);
const ZERO = new Float32Array([0]);
const FOUR = 'void *x, void *w, void *conv, void *y';

/** cuDNN's convolution functions. Every method throws `GpuError` when its call fails. */
export class Cudnn {
  private readonly errorString: (status: number) => string;
  private readonly lastError: NativeCall | null;
  private readonly calls = new Map<string, NativeCall>();

  constructor(private readonly library: Library) {
    this.errorString = library.bindText('cudnnGetErrorString');
    // Since cuDNN 9.
    this.lastError = library.bindIfPresent('void cudnnGetLastErrorString(void *text, size_t size)');
  }

  /** Such as 9.19.0. */
  get version(): string {
    return cudnnVersionText(this.library.bind('size_t cudnnGetVersion()')());
  }

  create(stream: Stream): Handle {
    const handle = this.created('cudnnCreate');
    this.call('cudnnSetStream', 'void *handle, void *stream', handle, stream);
    return handle;
  }

  destroy(handle: Handle): void {
    this.call('cudnnDestroy', 'void *handle', handle);
  }

  /** A packed tensor in the layout's order. */
  createTensor({ dtype, size }: Pick<TensorShape, 'dtype' | 'size'>, layout: Layout): Descriptor {
    return this.described(
      'Tensor',
      'cudnnSetTensor4dDescriptor',
      'int f, int t, int n, int c, int h, int w',
      [FORMATS[layout], DATA_TYPES[dtype], ...size],
    );
  }

  /** A tensor with strides of its own: part of a larger one. */
  createStridedTensor({ dtype, size, stride }: TensorShape): Descriptor {
    const parameters = 'int t, int n, int c, int h, int w, int sn, int sc, int sh, int sw';
    return this.described('Tensor', 'cudnnSetTensor4dDescriptorEx', parameters, [
      DATA_TYPES[dtype],
      ...size,
      ...stride,
    ]);
  }

  createFilter({ dtype, size }: Pick<TensorShape, 'dtype' | 'size'>, layout: Layout): Descriptor {
    return this.described(
      'Filter',
      'cudnnSetFilter4dDescriptor',
      'int t, int f, int k, int c, int h, int w',
      [DATA_TYPES[dtype], FORMATS[layout], ...size],
    );
  }

  /** Computes in f32 whatever the dtype: f16 and bf16 are summed up in f32. */
  createConvolution(padH: number, padW: number, stride: number, groups: number): Descriptor {
    const parameters = 'int ph, int pw, int u, int v, int dh, int dw, int mode, int type';
    const args = [padH, padW, stride, stride, 1, 1, CROSS_CORRELATION, DATA_TYPES.f32];
    const conv = this.described('Convolution', 'cudnnSetConvolution2dDescriptor', parameters, args);
    this.call('cudnnSetConvolutionGroupCount', 'void *conv, int groups', conv, groups);
    return conv;
  }

  setMathType(conv: Descriptor, mathType: number): void {
    this.call('cudnnSetConvolutionMathType', 'void *conv, int type', conv, mathType);
  }

  destroyDescriptor(kind: 'Tensor' | 'Filter' | 'Convolution', descriptor: Descriptor): void {
    this.call(`cudnnDestroy${kind}Descriptor`, 'void *descriptor', descriptor);
  }

  /** Size of the output as cuDNN will compute it: n, c, h, w. */
  outputSize({ conv, input, weights }: Omit<ConvDescriptors, 'output'>): number[] {
    const out = [0, 1, 2, 3].map(() => new Int32Array(1));
    const parameters = 'void *conv, void *x, void *w, void *n, void *c, void *h, void *v';
    this.call('cudnnGetConvolution2dForwardOutputDim', parameters, conv, input, weights, ...out);
    return out.map(([size = 0]) => size);
  }

  /** Algorithms that can be expected to work, the most promising first, by cuDNN's heuristic. */
  proposeAlgorithms(handle: Handle, { input, weights, conv, output }: ConvDescriptors): Algorithm[] {
    const [count, perf] = perfResults();
    const parameters = `void *handle, ${FOUR}, int wanted, void *count, void *perf`;
    const name = 'cudnnGetConvolutionForwardAlgorithm_v7';
    this.call(
      name,
      parameters,
      handle,
      input,
      weights,
      conv,
      output,
      ALGORITHM_NAMES.length * 2,
      count,
      perf,
    );
    return readPerf(count, perf);
  }

  /** Algorithms that worked within the workspace, the fastest first, each timed by cuDNN. Overwrites the output. */
  timeAlgorithms(handle: Handle, descriptors: ConvDescriptors, buffers: ConvBuffers): Algorithm[] {
    const [count, perf] = perfResults();
    const { input, weights, conv, output } = descriptors;
    this.call(
      'cudnnFindConvolutionForwardAlgorithmEx',
      'void *handle, void *x, void *xp, void *w, void *wp, void *conv, void *y, void *yp, ' +
        'int wanted, void *count, void *perf, void *ws, size_t bytes',
      ...[handle, input, buffers.input, weights, buffers.weights, conv, output, buffers.output],
      ...[ALGORITHM_NAMES.length * 2, count, perf, buffers.workspace, buffers.workspaceBytes],
    );
    return readPerf(count, perf);
  }

  workspaceBytes(
    handle: Handle,
    { input, weights, conv, output }: ConvDescriptors,
    algorithm: number,
  ): number {
    const out = new BigUint64Array(1);
    const parameters = `void *handle, void *x, void *w, void *conv, void *y, int algorithm, void *bytes`;
    const name = 'cudnnGetConvolutionForwardWorkspaceSize';
    this.call(name, parameters, handle, input, weights, conv, output, algorithm, out);
    return Number(out[0]);
  }

  /** Puts one convolution on the stream of the handle. */
  forward(handle: Handle, descriptors: ConvDescriptors, buffers: ConvBuffers, algorithm: number): void {
    this.call(
      'cudnnConvolutionForward',
      'void *handle, void *alpha, void *x, void *xp, void *w, void *wp, void *conv, int algorithm, ' +
        'void *ws, size_t bytes, void *beta, void *y, void *yp',
      ...[handle, ONE, descriptors.input, buffers.input, descriptors.weights, buffers.weights],
      ...[descriptors.conv, algorithm, buffers.workspace, buffers.workspaceBytes],
      ...[ZERO, descriptors.output, buffers.output],
    );
  }

  /** Puts a copy between tensors of the same size on the stream; their strides may differ. */
  copyTensor(
    handle: Handle,
    from: { readonly descriptor: Descriptor; readonly pointer: DevicePointer },
    to: { readonly descriptor: Descriptor; readonly pointer: DevicePointer },
  ): void {
    const parameters = 'void *handle, void *alpha, void *x, void *xp, void *beta, void *y, void *yp';
    const args = [handle, ONE, from.descriptor, from.pointer, ZERO, to.descriptor, to.pointer] as const;
    this.call('cudnnTransformTensor', parameters, ...args);
  }

  /** Makes a descriptor and sets it; one that cannot be set is not left behind. */
  private described(
    kind: 'Tensor' | 'Filter' | 'Convolution',
    setter: string,
    parameters: string,
    args: readonly number[],
  ): Descriptor {
    const descriptor = this.created(`cudnnCreate${kind}Descriptor`);
    try {
      this.call(setter, `void *descriptor, ${parameters}`, descriptor, ...args);
      return descriptor;
    } catch (error) {
      this.destroyDescriptor(kind, descriptor);
      throw error;
    }
  }

  private created(name: string): bigint {
    const out = new BigUint64Array(1);
    this.call(name, 'void *out', out);
    return out[0] ?? 0n;
  }

  private call(name: string, parameters: string, ...args: Parameters<NativeCall>): void {
    let native = this.calls.get(name);
    if (native === undefined) {
      native = this.library.bind(`int ${name}(${parameters})`);
      this.calls.set(name, native);
    }
    const status = native(...args);
    if (status !== 0)
      throw new GpuError('cudnn', name, status, this.errorString(status), this.detail(status));
  }

  private detail(status: number): string {
    const text = Buffer.alloc(1024);
    this.lastError?.(text, text.length);
    return textIn(text).trim() || this.errorString(status);
  }
}

function perfResults(): [count: Int32Array, perf: Buffer] {
  return [new Int32Array(1), Buffer.alloc(PERF.bytes * ALGORITHM_NAMES.length * 2)];
}

function readPerf([count = 0]: Int32Array, perf: Buffer): Algorithm[] {
  return Array.from({ length: count }, (_, index) => index * PERF.bytes)
    .filter((at) => perf.readInt32LE(at + PERF.status) === 0)
    .map((at) => ({
      algorithm: perf.readInt32LE(at + PERF.algo),
      mathType: perf.readInt32LE(at + PERF.mathType),
      workspaceBytes: Number(perf.readBigUInt64LE(at + PERF.memory)),
    }));
}
