import { MAX_LAYERS } from '@alphaflops/contracts';
import { NetworkError, readNetwork, type Network, type ReadOptions } from '@alphaflops/networks';

export interface NetworkTask {
  file: Uint8Array;
  options: ReadOptions;
}

/** A refusal is a value: error classes do not survive the way between threads. */
export type NetworkAnswer =
  | { ok: true; network: Network }
  /** `isBusy`: the file may be read later. */
  | { ok: false; reason: string; isBusy?: true };

/** Runs in a thread of its own: a large or hostile file takes its time without holding up the API. */
export default function read({ file, options }: NetworkTask): NetworkAnswer {
  try {
    const network = readNetwork(file, options);
    if (network.layers.length <= MAX_LAYERS) return { ok: true, network };
    return {
      ok: false,
      reason: `The network has ${network.layers.length} layers; at most ${MAX_LAYERS} are predicted.`,
    };
  } catch (error) {
    if (error instanceof NetworkError) return { ok: false, reason: error.message };
    throw error;
  }
}
