import type { ConvSpec } from '@alphaflops/conv';

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

/** Operators without a cost here: everything but convolutions and dense layers, and convolutions for which the reason says why. */
export interface NotCosted {
  readonly op: string;
  readonly count: number;
  readonly reason: string | null;
}

export interface Network {
  readonly format: NetworkFormat;
  readonly name: string | null;
  /** Images at a time: the first size of the first input. */
  readonly batch: number;
  /** In the order of the file. */
  readonly layers: readonly NetworkLayer[];
  readonly notCosted: readonly NotCosted[];
}

export interface ReadOptions {
  /** Images at a time, where the file leaves it open; 1 by default. */
  readonly batch?: number;
  /** Sizes of the first input, all of them, in the file's own order; needed where the file leaves more open than the batch. */
  readonly inputShape?: readonly number[];
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

/** @throws NetworkError `bad-option` when what was given for an input has another number of axes than the file says */
export function checkAxes(
  given: readonly number[],
  described: readonly (number | null)[],
  name: string,
): void {
  if (described.length === 0 || described.length === given.length) return;
  const shown = described.map((size) => (size !== null && size > 0 ? size : '?')).join('x');
  throw new NetworkError(
    'bad-option',
    `The input${name === '' ? '' : ` "${name}"`} has ${described.length} axes (${shown}), not ${given.length}.`,
  );
}
