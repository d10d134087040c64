import { cudaVersionText, GpuError, textIn, type Library, type NativeCall } from '@alphaflops/nvidia';

export type DevicePointer = bigint;
export type Stream = bigint;
export type Event = bigint;
export type GraphExec = bigint;

/** Names and values of cuda_runtime_api.h and driver_types.h, the same in CUDA 11.4 to 13. */
const HOST_TO_DEVICE = 1;
const DEVICE_TO_HOST = 2;
const DEVICE_TO_DEVICE = 3;
const STREAM_NON_BLOCKING = 1;
const CAPTURE_THREAD_LOCAL = 1;
const EVENT_RECORD_EXTERNAL = 1;
const ATTRIBUTES = { smCount: 16, l2Bytes: 38, capabilityMajor: 75, capabilityMinor: 76 } as const;

/** The CUDA runtime. Every method throws `GpuError` when its call fails. */
export class Cuda {
  private readonly errorName: (status: number) => string;
  private readonly errorString: (status: number) => string;
  private readonly calls = new Map<string, NativeCall>();

  constructor(private readonly library: Library) {
    this.errorName = library.bindText('cudaGetErrorName');
    this.errorString = library.bindText('cudaGetErrorString');
  }

  /** Such as 13.0. */
  get runtimeVersion(): string {
    const out = new Int32Array(1);
    this.call('cudaRuntimeGetVersion', 'void *version', out);
    return cudaVersionText(out[0] ?? 0);
  }

  /** Newest CUDA that the driver can run. */
  get driverVersion(): string {
    const out = new Int32Array(1);
    this.call('cudaDriverGetVersion', 'void *version', out);
    return cudaVersionText(out[0] ?? 0);
  }

  /** Number of visible devices. CUDA_VISIBLE_DEVICES selects and orders them. */
  deviceCount(): number {
    const out = new Int32Array(1);
    this.call('cudaGetDeviceCount', 'void *count', out);
    return out[0] ?? 0;
  }

  pciBusId(device: number): string {
    const out = Buffer.alloc(32);
    this.call('cudaDeviceGetPCIBusId', 'void *id, int length, int device', out, out.length, device);
    return textIn(out);
  }

  attribute(device: number, name: keyof typeof ATTRIBUTES): number {
    const out = new Int32Array(1);
    this.call(
      'cudaDeviceGetAttribute',
      'void *value, int attribute, int device',
      out,
      ATTRIBUTES[name],
      device,
    );
    return out[0] ?? 0;
  }

  setDevice(device: number): void {
    this.call('cudaSetDevice', 'int device', device);
  }

  memory(): { freeBytes: number; totalBytes: number } {
    const [free, total] = [new BigUint64Array(1), new BigUint64Array(1)];
    this.call('cudaMemGetInfo', 'void *free, void *total', free, total);
    return { freeBytes: Number(free[0]), totalBytes: Number(total[0]) };
  }

  malloc(bytes: number): DevicePointer {
    return this.created('cudaMalloc', 'size_t bytes', bytes);
  }

  free(pointer: DevicePointer): void {
    this.call('cudaFree', 'void *pointer', pointer);
  }

  /** Returns when the caller may change the source. */
  copyToDevice(target: DevicePointer, source: ArrayBufferView, stream: Stream): void {
    this.copy(target, source, source.byteLength, HOST_TO_DEVICE, stream);
    this.synchronize(stream);
  }

  /** Returns after the target is filled. */
  copyToHost(target: ArrayBufferView, source: DevicePointer, stream: Stream): void {
    this.copy(target, source, target.byteLength, DEVICE_TO_HOST, stream);
    this.synchronize(stream);
  }

  copyOnDevice(target: DevicePointer, source: DevicePointer, bytes: number, stream: Stream): void {
    this.copy(target, source, bytes, DEVICE_TO_DEVICE, stream);
  }

  /** Zeroes on a stream; may be captured. */
  zero(pointer: DevicePointer, bytes: number, stream: Stream): void {
    this.call(
      'cudaMemsetAsync',
      'void *pointer, int value, size_t bytes, void *stream',
      pointer,
      0,
      bytes,
      stream,
    );
  }

  createStream(): Stream {
    return this.created('cudaStreamCreateWithFlags', 'uint32_t flags', STREAM_NON_BLOCKING);
  }

  destroyStream(stream: Stream): void {
    this.call('cudaStreamDestroy', 'void *stream', stream);
  }

  synchronize(stream: Stream): void {
    this.call('cudaStreamSynchronize', 'void *stream', stream);
  }

  createEvent(): Event {
    return this.created('cudaEventCreateWithFlags', 'uint32_t flags', 0);
  }

  destroyEvent(event: Event): void {
    this.call('cudaEventDestroy', 'void *event', event);
  }

  recordEvent(event: Event, stream: Stream): void {
    this.call('cudaEventRecord', 'void *event, void *stream', event, stream);
  }

  /** Records an event in the captured graph, so that each replay records it. */
  recordEventInGraph(event: Event, stream: Stream): void {
    const parameters = 'void *event, void *stream, uint32_t flags';
    this.call('cudaEventRecordWithFlags', parameters, event, stream, EVENT_RECORD_EXTERNAL);
  }

  waitForEvent(event: Event): void {
    this.call('cudaEventSynchronize', 'void *event', event);
  }

  elapsedMs(start: Event, stop: Event): number {
    const out = new Float32Array(1);
    this.call('cudaEventElapsedTime', 'void *ms, void *start, void *stop', out, start, stop);
    return out[0] ?? NaN;
  }

  /** A graph, ready to run, of everything that `launch` puts on the stream. Nothing runs during the capture. */
  capture(stream: Stream, launch: () => void): GraphExec {
    this.call('cudaStreamBeginCapture', 'void *stream, int mode', stream, CAPTURE_THREAD_LOCAL);
    let graph: bigint;
    try {
      launch();
      graph = this.endCapture(stream);
    } catch (error) {
      this.abandonCapture(stream);
      throw error;
    }
    try {
      // The same in every version; cudaGraphInstantiate has other parameters in CUDA 11.
      return this.created('cudaGraphInstantiateWithFlags', 'void *graph, uint64_t flags', graph, 0);
    } finally {
      this.call('cudaGraphDestroy', 'void *graph', graph);
    }
  }

  launchGraph(exec: GraphExec, stream: Stream): void {
    this.call('cudaGraphLaunch', 'void *exec, void *stream', exec, stream);
  }

  destroyGraph(exec: GraphExec): void {
    this.call('cudaGraphExecDestroy', 'void *exec', exec);
  }

  /** Runs on the stream, which does not wait for copies on other streams. */
  private copy(
    target: DevicePointer | ArrayBufferView,
    source: DevicePointer | ArrayBufferView,
    bytes: number,
    kind: number,
    stream: Stream,
  ): void {
    const parameters = 'void *to, void *from, size_t bytes, int kind, void *stream';
    this.call('cudaMemcpyAsync', parameters, target, source, bytes, kind, stream);
  }

  private endCapture(stream: Stream): bigint {
    const out = new BigUint64Array(1);
    this.call('cudaStreamEndCapture', 'void *stream, void *graph', stream, out);
    return out[0] ?? 0n;
  }

  /** After a failure, a stream stays in capture until the capture is ended. The status of that call is ignored. */
  private abandonCapture(stream: Stream): void {
    try {
      const graph = this.endCapture(stream);
      if (graph !== 0n) this.call('cudaGraphDestroy', 'void *graph', graph);
    } catch {
      // The capture is invalid, as expected.
    }
  }

  /** For functions whose first parameter is the address for their result. */
  private created(name: string, parameters: string, ...args: (number | bigint)[]): bigint {
    const out = new BigUint64Array(1);
    this.call(name, `void *out, ${parameters}`, out, ...args);
    return out[0] ?? 0n;
  }

  private call(name: string, parameters: string, ...args: Parameters<NativeCall>): void {
    const status = this.native(name, parameters)(...args);
    if (status === 0) return;
    // Otherwise the next call that checks for errors would report this one again.
    this.native('cudaGetLastError', '')();
    throw new GpuError('cuda', name, status, this.errorName(status), this.errorString(status));
  }

  /** A function is bound at its first use, because a probe needs only a few. */
  private native(name: string, parameters: string): NativeCall {
    let native = this.calls.get(name);
    if (native === undefined) {
      native = this.library.bind(`int ${name}(${parameters})`);
      this.calls.set(name, native);
    }
    return native;
  }
}
