import { cudnnVersionText, GpuError, textIn, type Library, type NativeCall } from '@alphaflops/nvidia';
import type { Stream } from './cuda.js';

export type Handle = bigint;
export type Descriptor = bigint;

/** cudnnBackendDescriptorType_t: the kinds of descriptors that convolutions need. */
export const DESCRIPTORS = {
  convolution: 1,
  engine: 2,
  engineConfig: 3,
  heuristics: 4,
  plan: 5,
  knobChoice: 7,
  forward: 10,
  backwardWeights: 11,
  backwardData: 12,
  graph: 15,
  variantPack: 16,
  tensor: 17,
  deviceProperties: 38,
} as const;
export type DescriptorKind = keyof typeof DESCRIPTORS;

/** cudnnBackendAttributeType_t, with the typed array that holds values of the type. */
const TYPES = {
  handle: 0,
  dataType: 1,
  int64: 3,
  float: 4,
  pointer: 6,
  convolutionMode: 7,
  heuristicMode: 8,
  knobType: 9,
  numericalNote: 11,
  descriptor: 15,
  char: 24,
} as const;
export type AttributeType = keyof typeof TYPES;

/** First version whose backend has everything that this library uses: cudnnBackendGetAttribute of notes, plans in CUDA graphs. */
export const OLDEST_VERSION = 8900;
/** First version with heuristics for a device that is given by its properties. */
export const OLDEST_DEVICELESS_VERSION = 90800;
const TEXT_BYTES = 4096;

/**
 * cuDNN's graph ("backend") API, as in cudnn_graph.h. Values are passed as typed arrays. Every method throws `GpuError`
 * when its call fails.
 */
export class Backend {
  /** The number of cudnnGetVersion: 91900 for 9.19.0, 8907 for 8.9.7. */
  readonly versionNumber: number;
  private readonly errorString: (status: number) => string;
  private readonly lastError: NativeCall | null;
  private readonly calls = new Map<string, NativeCall>();

  /** @throws Error when the library is older than cuDNN 8.9 */
  constructor(private readonly library: Library) {
    this.versionNumber = library.bind('size_t cudnnGetVersion()')();
    if (this.versionNumber < OLDEST_VERSION) {
      throw new Error(`needs cuDNN 8.9 or newer; ${library.path} is cuDNN ${this.version}`);
    }
    this.errorString = library.bindText('cudnnGetErrorString');
    // Since cuDNN 9.
    this.lastError = library.bindIfPresent('void cudnnGetLastErrorString(void *text, size_t size)');
  }

  /** Such as 9.19.0. */
  get version(): string {
    return cudnnVersionText(this.versionNumber);
  }

  /** The file that was opened. */
  get path(): string {
    return this.library.path;
  }

  createHandle(): Handle {
    const out = new BigUint64Array(1);
    this.call('cudnnCreate', 'void *out', out);
    return out[0] ?? 0n;
  }

  setStream(handle: Handle, stream: Stream): void {
    this.call('cudnnSetStream', 'void *handle, void *stream', handle, stream);
  }

  destroyHandle(handle: Handle): void {
    this.call('cudnnDestroy', 'void *handle', handle);
  }

  create(kind: DescriptorKind): Descriptor {
    const out = new BigUint64Array(1);
    this.call('cudnnBackendCreateDescriptor', 'int kind, void *out', DESCRIPTORS[kind], out);
    return out[0] ?? 0n;
  }

  destroy(descriptor: Descriptor): void {
    this.call('cudnnBackendDestroyDescriptor', 'void *descriptor', descriptor);
  }

  set(
    descriptor: Descriptor,
    attribute: number,
    type: AttributeType,
    values: ArrayBufferView & { readonly length: number },
  ): void {
    this.call(
      'cudnnBackendSetAttribute',
      'void *descriptor, int name, int type, int64_t count, void *values',
      ...[descriptor, attribute, TYPES[type], values.length, values],
    );
  }

  /** Fills `values`. @returns how many values there are, which may be more than the length of `values` */
  get(
    descriptor: Descriptor,
    attribute: number,
    type: AttributeType,
    values: (ArrayBufferView & { readonly length: number }) | null,
  ): number {
    const count = new BigInt64Array(1);
    this.call(
      'cudnnBackendGetAttribute',
      'void *descriptor, int name, int type, int64_t wanted, void *count, void *values',
      ...[descriptor, attribute, TYPES[type], values?.length ?? 0, count, values],
    );
    return Number(count[0]);
  }

  finalize(descriptor: Descriptor): void {
    this.call('cudnnBackendFinalize', 'void *descriptor', descriptor);
  }

  /** Launches a plan on the stream of the handle. */
  execute(handle: Handle, plan: Descriptor, variantPack: Descriptor): void {
    this.call('cudnnBackendExecute', 'void *handle, void *plan, void *pack', handle, plan, variantPack);
  }

  private call(name: string, parameters: string, ...args: Parameters<NativeCall>): void {
    let native = this.calls.get(name);
    if (native === undefined) {
      native = this.library.bind(`int ${name}(${parameters})`);
      this.calls.set(name, native);
    }
    const status = native(...args);
    if (status !== 0) {
      throw new GpuError('cudnn', name, status, this.errorString(status), this.detail(status));
    }
  }

  private detail(status: number): string {
    const text = Buffer.alloc(TEXT_BYTES);
    this.lastError?.(text, text.length);
    return textIn(text).trim() || this.errorString(status);
  }
}
