import { loadavg } from 'node:os';
import type { Conditions } from '@alphaflops/contracts';
import { bytes, type ConvSpec } from '@alphaflops/conv';
import { ExecutorSession, type PrepareOptions, type PrepareResult } from '@alphaflops/executor';
import * as tf from '@tensorflow/tfjs-core';
import { readProcessorConditions } from '../host-processor.js';
import { allocateConv, outOfMemory, whyUnsupported } from '../tf-conv.js';
import { isSoftware } from './dawn.js';
import { DeviceFaults, type Scoped } from './device-faults.js';
import { GpuTimer } from './gpu-timer.js';
import { TfBackend } from './tf-backend.js';
import { WebGpuConv, type OpenDevice } from './webgpu-conv.js';

/** The same features that TensorFlow.js requests. They determine which shaders it uses. */
const LIMITS = [
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxComputeWorkgroupSizeX',
  'maxComputeInvocationsPerWorkgroup',
] as const;

/** TensorFlow.js's error for more workgroups than WebGPU has. */
const TOO_MANY_WORKGROUPS = /dispatch size exceeds/i;

/** Convolutions of TensorFlow.js on one WebGPU adapter. */
export class WebGpuSession extends ExecutorSession {
  private constructor(
    readonly open: OpenDevice,
    private readonly info: GPUAdapterInfo,
  ) {
    super();
  }

  /** @param adapter a new one: it can give only one device */
  static async open(gpu: GPU, adapter: GPUAdapter): Promise<WebGpuSession> {
    const requiredLimits = Object.fromEntries(LIMITS.map((limit) => [limit, adapter.limits[limit]]));
    const device = await adapter.requestDevice({ requiredFeatures: ['timestamp-query'], requiredLimits });
    const faults = new DeviceFaults(device);
    const backend = await TfBackend.activate(gpu, device, adapter.info);
    return new WebGpuSession({ device, faults, backend, timer: new GpuTimer(device) }, adapter.info);
  }

  async prepare(spec: ConvSpec, options: PrepareOptions): Promise<PrepareResult> {
    const reason = whyUnsupported('tfjs-webgpu', tf, spec, options);
    if (reason !== null) return { ok: false, outcome: 'unsupported', reason };
    const { input, weights, output, total } = bytes(spec);
    const { maxBufferSize, maxStorageBufferBindingSize } = this.open.device.limits;
    const limit = Math.min(maxBufferSize, maxStorageBufferBindingSize);
    const largest = Math.max(input, weights, output);
    if (largest > limit)
      return outOfMemory(largest, `in one buffer, which may have ${limit / 2 ** 20} MiB here`);
    const attempt = await this.open.faults.during(() => this.allocate(spec, options.seed));
    const refusal = refusalOf(attempt, total);
    if (refusal !== null) {
      await attempt.value?.dispose();
      return refusal;
    }
    if (attempt.value === undefined) throw attempt.thrown;
    return { ok: true, conv: attempt.value };
  }

  /** WebGPU does not report clocks, temperature or power. */
  readConditions(): Promise<Conditions> {
    if (isSoftware(this.info)) return readProcessorConditions();
    return Promise.resolve({
      smClockMhz: null,
      maxSmClockMhz: null,
      temperatureC: null,
      powerW: null,
      throttleReasons: [],
      otherProcesses: null,
      hostLoad1: loadavg()[0] ?? null,
    });
  }

  dispose(): Promise<void> {
    this.open.timer.destroy();
    this.open.backend.dispose();
    this.open.device.destroy();
    return Promise.resolve();
  }

  private async allocate(spec: ConvSpec, seed: number): Promise<WebGpuConv> {
    const { backend, device } = this.open;
    const conv = allocateConv(tf, spec, seed);
    try {
      const recording = backend.record(conv);
      await device.queue.onSubmittedWorkDone();
      return new WebGpuConv(this.open, spec, conv, recording);
    } catch (error) {
      tf.dispose([...conv.tensors]);
      backend.freeUnused();
      throw error;
    }
  }
}

/** Why the result of an attempt cannot be timed; null if it can, or if it threw an unexpected error. */
function refusalOf({ thrown, complaint }: Scoped<unknown>, neededBytes: number): PrepareResult | null {
  if (complaint?.isOutOfMemory === true) return outOfMemory(neededBytes, `and Dawn says: ${complaint.text}`);
  // V8's error for an array that it cannot allocate, and Dawn's for a buffer that it cannot map.
  if (thrown instanceof Error && thrown.name === 'RangeError') {
    return outOfMemory(neededBytes, `more than the host can allocate: ${thrown.message}`);
  }
  if (complaint !== null) {
    const reason = `Dawn refuses the shaders of TensorFlow.js for this spec: ${complaint.text}`;
    return { ok: false, outcome: 'unsupported', reason };
  }
  if (thrown instanceof Error && TOO_MANY_WORKGROUPS.test(thrown.message)) {
    return { ok: false, outcome: 'unsupported', reason: `TensorFlow.js: ${thrown.message}` };
  }
  return null;
}
