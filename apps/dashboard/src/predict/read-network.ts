import type { Network, ReadOptions } from '@alphaflops/networks';

export type { Network, ReadOptions };

export interface ReadTask {
  file: ArrayBuffer;
  options: ReadOptions;
}

export type ReadAnswer = { ok: true; network: Network } | { ok: false; reason: string };

/** A real network is read in well under a second. */
const MOST_MS = 30_000;

/**
 * Reads a network file here, beside the page, which stays alive meanwhile. The file goes nowhere.
 *
 * @throws Error what is wrong with the file, in words
 */
export async function readNetworkFile(file: File, options: ReadOptions): Promise<Network> {
  const worker = new Worker(new URL('./network-thread.ts', import.meta.url), { type: 'module' });
  try {
    const bytes = await file.arrayBuffer();
    const answer = await new Promise<ReadAnswer>((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<ReadAnswer>) => {
        resolve(data);
      };
      worker.onerror = ({ message }) => {
        reject(new Error(`The file could not be read: ${message}`));
      };
      setTimeout(() => {
        reject(new Error(`Reading this file takes more than ${MOST_MS / 1000} s, as no real network does.`));
      }, MOST_MS);
      worker.postMessage({ file: bytes, options } satisfies ReadTask, [bytes]);
    });
    if (answer.ok) return answer.network;
    throw new Error(answer.reason);
  } finally {
    worker.terminate();
  }
}
