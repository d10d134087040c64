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
 * What runs convolutions on one kind of device through one library. Adapters export
 * `createExecutor(name)` (see `AdapterModule`); the constructor does no I/O.
 */
export abstract class Executor {
  /** As users write it: `tfjs-wasm`. */
  abstract readonly name: string;
  /** Of the adapter package. */
  abstract readonly version: string;
  /** Finds the devices that this executor can drive here, or says what is missing. Does not throw. */
  abstract probe(): Promise<ProbeResult>;
  /** Takes a device that `probe` found; throws `ExecutorError('unknown-device')`. */
  abstract open(deviceUuid: string): Promise<ExecutorSession>;
}

/** A device in use. Specs are prepared, timed and disposed one after the other. */
export abstract class ExecutorSession {
  /** Allocates and fills one convolution. Specs that cannot run are a result with a reason, not an exception. */
  abstract prepare(spec: ConvSpec, options: PrepareOptions): Promise<PrepareResult>;
  abstract readConditions(): Promise<Conditions>;
  /**
   * Times one run of a convolution of a millisecond or two, always the same, in milliseconds. Absent where other programs
   * of the host cannot slow down the device.
   */
  referenceMs?(): Promise<number>;
  abstract dispose(): Promise<void>;
}

export interface PrepareOptions {
  /** Of the random inputs: `seededArray('input' | 'weights', seed, …)` in the buffer order of the PreparedConv. */
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
/** A DeviceDescription without what only the worker knows of itself. */
export type ProbedDevice = z.infer<typeof ProbedDeviceSchema>;

export const ProbeResultSchema = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), devices: z.array(ProbedDeviceSchema).min(1) }),
  z.object({ ok: z.literal(false), reason: z.string().min(1) }),
]);
export type ProbeResult = z.infer<typeof ProbeResultSchema>;

/** Completes the description of a probed device with the worker that found it. */
export function describeDevice(probed: ProbedDevice, worker: Provenance['worker']): DeviceDescription {
  return { ...probed, provenance: { ...probed.provenance, worker } };
}
