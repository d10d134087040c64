import './no-code-at-run-time.js';
import { NetworkError, readNetwork } from '@alphaflops/networks';
import type { ReadAnswer, ReadTask } from './read-network.js';

/** Runs in a web worker. */
self.onmessage = ({ data: { file, options } }: MessageEvent<ReadTask>) => {
  self.postMessage(answer(file, options));
};

function answer(file: ArrayBuffer, options: ReadTask['options']): ReadAnswer {
  try {
    return { ok: true, network: readNetwork(new Uint8Array(file), options) };
  } catch (error) {
    if (error instanceof NetworkError) return { ok: false, reason: error.message };
    return { ok: false, reason: `This file cannot be read: ${String(error)}.` };
  }
}
