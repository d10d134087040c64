import { replay, type Dispatch } from './recording.js';

/** Begin and end of a pass, each a 64-bit count of nanoseconds. */
const TIMESTAMPS = 2;
const BYTES = 8 * TIMESTAMPS;
const NANOSECONDS_PER_MS = 1e6;

/** Number of launches in one pass: long compared with the start and end of the pass, and short compared with the time limit of a driver. */
const MAX_REPLAYS = 256;

/** Times replays by the GPU's own clock: two timestamps around a compute pass. */
export class GpuTimer {
  private readonly queries: GPUQuerySet;
  private readonly resolved: GPUBuffer;
  private readonly readable: GPUBuffer;

  constructor(private readonly device: GPUDevice) {
    const { QUERY_RESOLVE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
    this.queries = device.createQuerySet({ type: 'timestamp', count: TIMESTAMPS });
    this.resolved = device.createBuffer({ size: BYTES, usage: QUERY_RESOLVE | COPY_SRC });
    this.readable = device.createBuffer({ size: BYTES, usage: MAP_READ | COPY_DST });
  }

  /** Time of `times` replays in milliseconds, one after another on an otherwise idle device. */
  async timeMs(dispatches: readonly Dispatch[], times: number): Promise<number> {
    let timeMs = 0;
    for (let done = 0; done < times; done += MAX_REPLAYS) {
      timeMs += await this.timePassMs(dispatches, Math.min(MAX_REPLAYS, times - done));
    }
    return timeMs;
  }

  destroy(): void {
    this.queries.destroy();
    this.resolved.destroy();
    this.readable.destroy();
  }

  private async timePassMs(dispatches: readonly Dispatch[], times: number): Promise<number> {
    const { device, queries, resolved, readable } = this;
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass({
      timestampWrites: { querySet: queries, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 },
    });
    replay(pass, dispatches, times);
    pass.end();
    encoder.resolveQuerySet(queries, 0, TIMESTAMPS, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, readable, 0, BYTES);
    device.queue.submit([encoder.finish()]);
    await readable.mapAsync(GPUMapMode.READ);
    const [begin = 0n, end = 0n] = new BigUint64Array(readable.getMappedRange());
    const timeMs = Number(end - begin) / NANOSECONDS_PER_MS;
    readable.unmap();
    return timeMs;
  }
}
