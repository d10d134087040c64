import { MAX_LAYERS, type Refusal } from '@alphaflops/contracts';
import { bytesSource, NetworkError, readNetwork, type Network, type ReadOptions } from '@alphaflops/networks';

export interface NetworkTask {
  file: Uint8Array;
  /** Weight files of the same model, by name. */
  beside: ReadonlyMap<string, Uint8Array>;
  options: Omit<ReadOptions, 'fileBeside'>;
}

/** A refusal is a value, because error classes are lost between threads. */
export type NetworkAnswer =
  | { readonly ok: true; readonly network: Network }
  /** `isBusy`: the file may be read later. */
  | (Refusal & { readonly isBusy?: true });

/** Runs in its own thread, so that a large or malicious file does not block the API. */
export default function read({ file, beside, options }: NetworkTask): NetworkAnswer {
  try {
    const fileBeside = (name: string) => {
      const bytes = beside.get(name);
      return bytes === undefined ? null : bytesSource(bytes);
    };
    const network = readNetwork(file, { ...options, fileBeside });
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
