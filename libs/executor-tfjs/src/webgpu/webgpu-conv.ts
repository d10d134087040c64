import type { ConvSpec } from '@alphaflops/conv';
import type { PreparedConv } from '@alphaflops/executor';
import { F32_TOLERANCE, type OutputPoint } from '@alphaflops/measure';
import * as tf from '@tensorflow/tfjs-core';
import { BUFFER_ORDER, outputIndex, type TfConv } from '../tf-conv.js';
import type { DeviceFaults } from './device-faults.js';
import type { GpuTimer } from './gpu-timer.js';
import { replay } from './recording.js';
import type { Recording, TfBackend } from './tf-backend.js';

/** Resources that convolutions on one device share. */
export interface OpenDevice {
  readonly device: GPUDevice;
  readonly backend: TfBackend;
  readonly timer: GpuTimer;
  readonly faults: DeviceFaults;
}

const F32_BYTES = 4;

/** A second run must give the same result as the first: no sum may continue from one run to the next. */
const CHECKED_REPLAYS = 2;

/** Number of results that TensorFlow.js keeps until it submits, which it does itself after 15 dispatches. */
const EAGER_RUNS = 15;
const EAGER_BYTES = 2 ** 28;
const EAGER_MS = 50;

export class WebGpuConv implements PreparedConv {
  readonly bufferOrder = BUFFER_ORDER;
  readonly tolerance = F32_TOLERANCE;
  readonly algorithm: string;
  readonly workspaceBytes: number;
  private lastMs = 0;

  constructor(
    private readonly open: OpenDevice,
    private readonly spec: ConvSpec,
    private readonly conv: TfConv,
    readonly recording: Recording,
  ) {
    this.workspaceBytes = recording.workspaceBytes;
    this.algorithm = `${recording.programs.join(' + ')} NHWC`;
  }

  async timeBatchMs(inner: number): Promise<number> {
    const { timer, faults } = this.open;
    const timeMs = await faults.guard(() => timer.timeMs(this.recording.dispatches, inner));
    this.lastMs = timeMs / inner;
    return timeMs;
  }

  /** The wait of a user of TensorFlow.js: convolutions are called one by one, and the host's clock runs until all are complete. */
  async eagerMs(): Promise<number> {
    const { device, backend, faults } = this.open;
    const byTime = Math.ceil(EAGER_MS / Math.max(this.lastMs, 1e-3));
    const byMemory = Math.floor(EAGER_BYTES / this.recording.output.size);
    const runs = Math.max(1, Math.min(EAGER_RUNS, byTime, byMemory));
    const startMs = performance.now();
    for (let run = 0; run < runs; run++) this.conv.run().dispose();
    backend.flush();
    await faults.guard(() => device.queue.onSubmittedWorkDone());
    return (performance.now() - startMs) / runs;
  }

  /** Checks the timed dispatches: the output is erased, computed by replays, and only the points are read. */
  async outputPoints(points: readonly OutputPoint[]): Promise<number[]> {
    const { device, faults } = this.open;
    const { output, dispatches } = this.recording;
    const readable = device.createBuffer({
      size: F32_BYTES * points.length,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    const encoder = device.createCommandEncoder();
    encoder.clearBuffer(output);
    const pass = encoder.beginComputePass();
    replay(pass, dispatches, CHECKED_REPLAYS);
    pass.end();
    for (const [at, point] of points.entries()) {
      const from = F32_BYTES * outputIndex(this.spec, point);
      encoder.copyBufferToBuffer(output, from, readable, F32_BYTES * at, F32_BYTES);
    }
    device.queue.submit([encoder.finish()]);
    await faults.guard(() => readable.mapAsync(GPUMapMode.READ));
    const values = [...new Float32Array(readable.getMappedRange())];
    readable.destroy();
    return values;
  }

  dispose(): Promise<void> {
    this.recording.release();
    tf.dispose([...this.conv.tensors]);
    this.open.backend.freeUnused();
    return Promise.resolve();
  }
}
