import type { ConvSpec } from '@alphaflops/conv';
import type { ByteSource } from './byte-source.js';

export const NETWORK_FORMATS = ['onnx', 'keras', 'tfjs-layers', 'tfjs-graph', 'layer-list'] as const;
export type NetworkFormat = (typeof NETWORK_FORMATS)[number];

/** A layer that a model of a device can predict. */
export interface NetworkLayer {
  /** The name in the file. */
  readonly name: string;
  /** The name of the operator in the file. */
  readonly op: string;
  readonly spec: ConvSpec;
  /** How the spec differs from the layer; null if it describes the layer completely. */
  readonly note: string | null;
}

/** Operators without a cost. */
export interface NotCosted {
  readonly op: string;
  readonly count: number;
  /** The reason why a layer that multiplies, or may multiply, has no cost; null for operators that do not multiply. */
  readonly reason: string | null;
  /** Multiply-adds of all these operators; null if unknown, and for operators that do not multiply. */
  readonly macs: number | null;
}

/** A layer that multiplies, or may multiply, and is not part of a total. */
export type Missing = NotCosted & { readonly reason: string };

/** How much of a network the total over its costed layers covers. */
export interface Completeness {
  /** Every layer that multiplies is costed, and every operator is known. */
  readonly isComplete: boolean;
  /** Number of layers that multiply. */
  readonly layersFound: number;
  readonly layersCosted: number;
  readonly missing: readonly Missing[];
  /** Known multiply-adds of the missing layers. */
  readonly missingMacs: number;
  /** A lower bound of the missing share of all multiply-adds; null if it is unknown. */
  readonly missingShare: number | null;
  /** The first operator or input at which a size was lost that a missing layer needs. */
  readonly firstLoss: { readonly name: string; readonly op: string } | null;
}

export interface Network {
  readonly format: NetworkFormat;
  readonly name: string | null;
  /** Images per batch: the first size of the first input. */
  readonly batch: number;
  /** In the order of the file. */
  readonly layers: readonly NetworkLayer[];
  readonly notCosted: readonly NotCosted[];
  readonly completeness: Completeness;
}

export interface ReadOptions {
  /** Images per batch, if the file leaves it open; 1 by default. */
  readonly batch?: number;
  /**
   * All sizes of the first input, in the axis order of the file. Required if the file leaves more than the batch
   * open.
   */
  readonly inputShape?: readonly number[];
  /** All sizes of inputs by their names. */
  readonly inputs?: Readonly<Record<string, readonly number[]>>;
  /**
   * Reads a weight file of a TensorFlow.js model, which contains its constants; returns null if the file is missing.
   */
  readonly fileBeside?: (name: string) => ByteSource | null;
}

export type NetworkErrorCode = 'unknown-format' | 'malformed' | 'too-large' | 'unknown-size' | 'bad-option';

/** A file that cannot be read as a network. The message is for the user who supplied the file. */
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
