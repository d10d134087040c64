import type { ConvSpec } from '@alphaflops/conv';
import type { ByteSource } from './byte-source.js';

export const NETWORK_FORMATS = ['onnx', 'keras', 'tfjs-layers', 'tfjs-graph', 'layer-list'] as const;
export type NetworkFormat = (typeof NETWORK_FORMATS)[number];

/** A layer that a model of a device can cost. */
export interface NetworkLayer {
  /** As the file names it. */
  readonly name: string;
  /** Operator, as the file calls it. */
  readonly op: string;
  readonly spec: ConvSpec;
  /** In what the spec differs from the layer; null when it says all of it. */
  readonly note: string | null;
}

/** Operators without a cost here. */
export interface NotCosted {
  readonly op: string;
  readonly count: number;
  /** Why a layer that multiplies, or may multiply, has no cost; null for operators that do not multiply. */
  readonly reason: string | null;
  /** Multiply-adds of all of them; null when not known, and for operators that do not multiply. */
  readonly macs: number | null;
}

/** A layer that multiplies, or may multiply, and is not part of a total. */
export type Missing = NotCosted & { readonly reason: string };

/** How much of a network a total over its costed layers covers. */
export interface Completeness {
  /** Every layer that multiplies is costed, and every operator is known. */
  readonly isComplete: boolean;
  /** Layers that multiply. */
  readonly layersFound: number;
  readonly layersCosted: number;
  readonly missing: readonly Missing[];
  /** Multiply-adds of the missing layers, as far as they are known. */
  readonly missingMacs: number;
  /** At least this share of all multiply-adds is missing; null when nothing is known about it. */
  readonly missingShare: number | null;
  /** The first operator or input at which a size was lost that a missing layer needs. */
  readonly firstLoss: { readonly name: string; readonly op: string } | null;
}

export interface Network {
  readonly format: NetworkFormat;
  readonly name: string | null;
  /** Images at a time: the first size of the first input. */
  readonly batch: number;
  /** In the order of the file. */
  readonly layers: readonly NetworkLayer[];
  readonly notCosted: readonly NotCosted[];
  readonly completeness: Completeness;
}

export interface ReadOptions {
  /** Images at a time, where the file leaves it open; 1 by default. */
  readonly batch?: number;
  /** All sizes of the first input, in the file's own order; needed where the file leaves more open than the batch. */
  readonly inputShape?: readonly number[];
  /** All sizes of inputs by their names. */
  readonly inputs?: Readonly<Record<string, readonly number[]>>;
  /** Files beside this one, in which a TensorFlow.js model has its constants; null for one that is not there. */
  readonly fileBeside?: (name: string) => ByteSource | null;
}

export type NetworkErrorCode = 'unknown-format' | 'malformed' | 'too-large' | 'unknown-size' | 'bad-option';

/** A file that cannot be read as a network, for the person who gave it. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError';

  constructor(
    readonly code: NetworkErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
