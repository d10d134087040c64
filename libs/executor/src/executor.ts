import {
  DeviceDescriptionSchema,
  ProvenanceSchema,
  type Conditions,
  type DeviceDescription,
  type Provenance,
  type Refusal,
} from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import type { BufferOrder, OutputPoint, TimedConv } from '@alphaflops/measure';
import { z } from 'zod';

/**
 * Runs convolutions on one kind of device through one library. Adapters export `createExecutor(name)` (see
 * `AdapterModule`). The constructor does no I/O.
 */
export abstract class Executor {
  /** The name in commands and settings, such as `tfjs-wasm`. */
  abstract readonly name: string;
  /** Version of the adapter package. */
  abstract readonly version: string;
  /** Finds the devices of this machine that the executor can use, or reports what is missing. Does not throw. */
  abstract probe(): Promise<ProbeResult>;
  /** Opens a device that `probe` found; throws `ExecutorError('unknown-device')`. */
  abstract open(deviceUuid: string): Promise<ExecutorSession>;
}

/** An open device. Specs are prepared, timed and disposed one after another. */
export abstract class ExecutorSession {
  /** Allocates and fills one convolution. For a spec that cannot run, it returns a reason and does not throw. */
  abstract prepare(spec: ConvSpec, options: PrepareOptions): Promise<PrepareResult>;
  abstract readConditions(): Promise<Conditions>;
  /**
   * Times one run of the reference convolution, in milliseconds. It is always the same one and takes one or two milliseconds.
   * Absent if other programs of the host cannot slow down the device.
   */
  referenceMs?(): Promise<number>;
  abstract dispose(): Promise<void>;
}

export interface PrepareOptions {
  /** Seed of the random inputs: `seededArray('input' | 'weights', seed, …)` in the buffer order of the PreparedConv. */
  readonly seed: number;
  readonly mode: 'hot' | 'cold';
}

export type PrepareResult =
  | { readonly ok: true; readonly conv: PreparedConv }
  | (Refusal & { readonly outcome: 'unsupported' | 'out-of-memory' });

/** One convolution in the device's memory. */
export interface PreparedConv extends Omit<TimedConv, 'checkOutput'> {
  readonly bufferOrder: BufferOrder;
  /** Largest error of an output, as a share of the root sum of squares of its products (`F32_TOLERANCE` for f32). */
  readonly tolerance: number;
  /** Runs the convolution once and reads these elements of its output. */
  outputPoints(points: readonly OutputPoint[]): Promise<number[]>;
  /** Frees everything that `prepare` allocated. */
  dispose(): Promise<void>;
}

export const ProbedProvenanceSchema = ProvenanceSchema.omit({ worker: true });
export const ProbedDeviceSchema = DeviceDescriptionSchema.extend({ provenance: ProbedProvenanceSchema });
/** A DeviceDescription without the fields that only the worker knows. */
export type ProbedDevice = z.infer<typeof ProbedDeviceSchema>;

export const ProbeResultSchema = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), devices: z.array(ProbedDeviceSchema).min(1) }),
  z.object({ ok: z.literal(false), reason: z.string().min(1) }),
]);
export type ProbeResult = z.infer<typeof ProbeResultSchema>;

/** The description of a probed device, completed with the worker that found it. */
export function describeDevice(probed: ProbedDevice, worker: Provenance['worker']): DeviceDescription {
  return { ...probed, provenance: { ...probed.provenance, worker } };
}
