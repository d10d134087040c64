import { BYTES_PER_ELEMENT } from '@alphaflops/conv';
import type { Kernel } from '@alphaflops/contracts';
import type { PreparedConv } from '@alphaflops/executor';
import type { BatchState, BufferOrder, OutputPoint } from '@alphaflops/measure';
import { RESULTS } from './conv-problem.js';
import type { Event, GraphExec } from './cuda.js';
import type { Device } from './device.js';
import { elementAt } from './half.js';
import type { ConvSetUp } from './set-up.js';

/**
 * Number of launches in one graph. More launches take longer to capture. With fewer, the gap of 1 to 2 µs between two replays
 * would change the times of the shortest convolutions.
 */
const MAX_GRAPH_LAUNCHES = 256;
/** Number of runs in a graph with cold caches. Each run then has a pair of events. */
const MAX_COLD_RUNS = 16;
/** Duration of the work that is put on the stream at once during the measurement of energy. */
const CHUNK_MS = 5;
/** Approximate duration of the eager loop. */
const EAGER_LOOP_MS = 1;
const MAX_EAGER_LAUNCHES = 50;

/** A convolution in the device's memory, timed by replaying a graph of launches between two events. */
export class CudnnConv implements PreparedConv {
  readonly bufferOrder: BufferOrder;
  readonly tolerance: number;
  readonly algorithm: string;
  readonly workspaceBytes: number;
  readonly kernel: Kernel;
  private readonly start: Event;
  private readonly stop: Event;
  private graph: { readonly exec: GraphExec; readonly launches: number } | null = null;
  private coldEvents: Event[] = [];
  private lastTimeMs = EAGER_LOOP_MS;
  private lastState: BatchState | null = null;

  constructor(
    private readonly device: Device,
    private readonly setUp: ConvSetUp,
  ) {
    const { spec, plan, tolerance } = setUp;
    const { name, engine, knobs, numericalNotes } = plan.proposal;
    this.bufferOrder = { input: spec.layout, weights: spec.layout === 'NCHW' ? 'OIHW' : 'OHWI' };
    this.tolerance = tolerance;
    this.workspaceBytes = plan.workspaceBytes;
    this.kernel = { name, engine, knobs, numericalNotes, planBuildMs: plan.buildMs };
    this.algorithm = name;
    this.start = device.cuda.createEvent();
    this.stop = device.cuda.createEvent();
  }

  batchState(): BatchState | null {
    return this.lastState;
  }

  timeBatchMs(inner: number): Promise<number> {
    this.lastTimeMs = this.setUp.flush === null ? this.timeHotMs(inner) : this.timeColdMs(inner);
    return Promise.resolve(this.lastTimeMs * inner);
  }

  /** A plain loop of launches between two events. It includes the cost of launches by the host when the device waits for them. */
  eagerMs(): Promise<number> {
    const launches = Math.max(1, Math.min(MAX_EAGER_LAUNCHES, Math.round(EAGER_LOOP_MS / this.lastTimeMs)));
    const totalMs = this.betweenEventsMs(() => {
      for (let i = 0; i < launches; i++) this.launch();
    });
    return Promise.resolve(totalMs / launches);
  }

  /** Replays graphs of about 5 ms. The next one is always launched before the wait for the present one, so that the device never waits. */
  runBackToBack(onEnded: (convolutions: number, elapsedMs: number) => boolean): Promise<void> {
    const { cuda, stream } = this.device;
    const { exec, launches } = this.graphOf(
      Math.min(MAX_GRAPH_LAUNCHES, Math.max(1, Math.round(CHUNK_MS / this.lastTimeMs))),
    );
    const ends: [Event, Event] = [cuda.createEvent(), cuda.createEvent()];
    const endOf = (chunk: number): Event => ends[chunk % 2 === 0 ? 0 : 1];
    const put = (chunk: number): void => {
      cuda.launchGraph(exec, stream);
      cuda.recordEvent(endOf(chunk), stream);
    };
    try {
      cuda.recordEvent(this.start, stream);
      put(0);
      for (let chunk = 0, goesOn = true; goesOn; chunk++) {
        put(chunk + 1);
        cuda.waitForEvent(endOf(chunk));
        goesOn = onEnded((chunk + 1) * launches, cuda.elapsedMs(this.start, endOf(chunk)));
      }
      cuda.synchronize(stream);
    } finally {
      for (const event of ends) cuda.destroyEvent(event);
    }
    return Promise.resolve();
  }

  outputPoints(points: readonly OutputPoint[]): Promise<number[]> {
    const { cuda, stream } = this.device;
    const { spec, problem, plan } = this.setUp;
    this.launch();
    const result = RESULTS[problem.pass];
    const [imageStride, channelStride, rowStride, columnStride] = problem[result].stride;
    const size = BYTES_PER_ELEMENT[spec.dtype];
    const data = Buffer.alloc(size);
    const values = points.map(({ image, row, column, channel }) => {
      const index = image * imageStride + channel * channelStride + row * rowStride + column * columnStride;
      cuda.copyToHost(data, plan.buffers[result] + BigInt(index * size), stream);
      return elementAt(data, spec.dtype);
    });
    return Promise.resolve(values);
  }

  dispose(): Promise<void> {
    const { cuda } = this.device;
    this.dropGraph();
    for (const event of [this.start, this.stop]) cuda.destroyEvent(event);
    this.setUp.release();
    return Promise.resolve();
  }

  /** Puts one run on the stream. */
  private launch(): void {
    const { backend, handle } = this.device;
    const { plan, pack } = this.setUp.plan;
    backend.execute(handle, plan, pack);
  }

  private timeHotMs(inner: number): number {
    const { cuda, stream } = this.device;
    const replays = Math.ceil(inner / MAX_GRAPH_LAUNCHES);
    const { exec, launches } = this.graphOf(Math.ceil(inner / replays));
    // Keeps the device busy while the host launches the timed runs.
    this.launch();
    const totalMs = this.betweenEventsMs(() => {
      for (let i = 0; i < replays; i++) cuda.launchGraph(exec, stream);
    }, true);
    return totalMs / (replays * launches);
  }

  private timeColdMs(inner: number): number {
    const { cuda, stream } = this.device;
    const replays = Math.ceil(inner / MAX_COLD_RUNS);
    const { exec, launches } = this.coldGraphOf(Math.ceil(inner / replays));
    let totalMs = 0;
    for (let i = 0; i < replays; i++) {
      cuda.launchGraph(exec, stream);
      if (i === 0) this.lastState = this.device.conditions.readBatchState();
      cuda.synchronize(stream);
      for (let run = 0; run < launches; run++) {
        totalMs += cuda.elapsedMs(this.coldEvent(2 * run), this.coldEvent(2 * run + 1));
      }
    }
    return totalMs / (replays * launches);
  }

  private graphOf(launches: number): { exec: GraphExec; launches: number } {
    return this.captured(launches, () => {
      this.launch();
    });
  }

  /** Each run between two events of its own, after the cache was overwritten. */
  private coldGraphOf(runs: number): { exec: GraphExec; launches: number } {
    const { cuda, stream } = this.device;
    const { flush } = this.setUp;
    return this.captured(runs, (run) => {
      if (flush !== null) cuda.zero(flush.pointer, flush.bytes, stream);
      cuda.recordEventInGraph(this.coldEvent(2 * run), stream);
      this.launch();
      cuda.recordEventInGraph(this.coldEvent(2 * run + 1), stream);
    });
  }

  private captured(launches: number, launch: (index: number) => void): { exec: GraphExec; launches: number } {
    if (this.graph?.launches === launches) return this.graph;
    const { cuda, stream } = this.device;
    this.dropGraph();
    const exec = cuda.capture(stream, () => {
      for (let index = 0; index < launches; index++) launch(index);
    });
    return (this.graph = { exec, launches });
  }

  private coldEvent(index: number): Event {
    return (this.coldEvents[index] ??= this.device.cuda.createEvent());
  }

  private dropGraph(): void {
    const { cuda } = this.device;
    if (this.graph !== null) cuda.destroyGraph(this.graph.exec);
    this.graph = null;
    for (const event of this.coldEvents) cuda.destroyEvent(event);
    this.coldEvents = [];
  }

  /** @param isBatch reads the state of the device while it works */
  private betweenEventsMs(launch: () => void, isBatch = false): number {
    const { cuda, stream } = this.device;
    cuda.recordEvent(this.start, stream);
    launch();
    cuda.recordEvent(this.stop, stream);
    if (isBatch) this.lastState = this.device.conditions.readBatchState();
    cuda.waitForEvent(this.stop);
    return cuda.elapsedMs(this.start, this.stop);
  }
}
