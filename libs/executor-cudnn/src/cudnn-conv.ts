import { BYTES_PER_ELEMENT, outputSize } from '@alphaflops/conv';
import type { PreparedConv } from '@alphaflops/executor';
import type { BatchState, OutputPoint } from '@alphaflops/measure';
import type { Event, GraphExec } from './cuda.js';
import {
  ALGORITHM_NAMES,
  MATH_NAMES,
  type Algorithm,
  type ConvBuffers,
  type ConvDescriptors,
  type Descriptor,
} from './cudnn.js';
import type { Device } from './device.js';
import { isPadded, type Geometry } from './geometry.js';
import { elementAt } from './half.js';

/**
 * Launches in one graph. More launches take longer to capture; with fewer, the gap of 1 to 2 µs between two replays
 * would show in the shortest convolutions.
 */
const MAX_GRAPH_LAUNCHES = 256;
/** With cold caches each run has a pair of events in the graph. */
const MAX_COLD_RUNS = 16;
/** What is put on the stream at a time while energy is measured. */
const CHUNK_MS = 5;
/** The eager loop lasts about that long. */
const EAGER_LOOP_MS = 1;
const MAX_EAGER_LAUNCHES = 50;

/** Everything that has been set up for one convolution, ready to be launched. */
export interface ConvSetUp {
  readonly geometry: Geometry;
  readonly descriptors: ConvDescriptors;
  readonly buffers: ConvBuffers;
  readonly algorithm: Algorithm;
  /** Copies the input into its place inside the padded one before each run; null where cuDNN's own padding will do. */
  readonly padding: {
    readonly from: { readonly descriptor: Descriptor; readonly pointer: bigint };
    readonly to: { readonly descriptor: Descriptor; readonly pointer: bigint };
  } | null;
  /** Overwritten before each run when caches are to be cold. */
  readonly flush: { readonly pointer: bigint; readonly bytes: number } | null;
  readonly tolerance: number;
  /** Destroys the descriptors. */
  release(): void;
}

/** A convolution in the device's memory, timed by replaying a graph of launches between two events. */
export class CudnnConv implements PreparedConv {
  readonly bufferOrder;
  readonly tolerance;
  readonly algorithm;
  readonly workspaceBytes;
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
    const { geometry, algorithm, tolerance, buffers } = setUp;
    this.bufferOrder = geometry.bufferOrder;
    this.tolerance = tolerance;
    this.workspaceBytes = buffers.workspaceBytes;
    const names = [ALGORITHM_NAMES[algorithm.algorithm], MATH_NAMES[algorithm.mathType]];
    this.algorithm = names.join(' ') + (isPadded(geometry) ? ', input padded before' : '');
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

  /** A plain loop of launches between two events: what the host's launching costs shows when the device waits for it. */
  eagerMs(): Promise<number> {
    const launches = Math.max(1, Math.min(MAX_EAGER_LAUNCHES, Math.round(EAGER_LOOP_MS / this.lastTimeMs)));
    const totalMs = this.betweenEventsMs(() => {
      for (let i = 0; i < launches; i++) this.launch();
    });
    return Promise.resolve(totalMs / launches);
  }

  /** Replays graphs of some 5 ms, always one ahead of the one that is waited for, so that the device never waits. */
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
    const { geometry, buffers } = this.setUp;
    const { spec } = geometry;
    this.launch();
    const { height, width } = outputSize(spec);
    const size = BYTES_PER_ELEMENT[spec.dtype];
    const data = Buffer.alloc(size);
    const values = points.map(({ image, row, column, channel }) => {
      const index =
        spec.layout === 'NCHW'
          ? ((image * spec.cout + channel) * height + row) * width + column
          : ((image * height + row) * width + column) * spec.cout + channel;
      cuda.copyToHost(data, buffers.output + BigInt(index * size), stream);
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

  /** Puts one run on the stream: what has to be done for each input, the padding included. */
  private launch(): void {
    const { cudnn, handle } = this.device;
    const { descriptors, buffers, algorithm, padding } = this.setUp;
    if (padding !== null) cudnn.copyTensor(handle, padding.from, padding.to);
    cudnn.forward(handle, descriptors, buffers, algorithm.algorithm);
  }

  private timeHotMs(inner: number): number {
    const { cuda, stream } = this.device;
    const replays = Math.ceil(inner / MAX_GRAPH_LAUNCHES);
    const { exec, launches } = this.graphOf(Math.ceil(inner / replays));
    // Keeps the device busy while the host puts the timed ones on the stream.
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
