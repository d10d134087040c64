import type { Network, ReadOptions } from '@alphaflops/networks';

export type { Network };

export interface ReadTask {
  file: File;
  /** Weight files of the same model. */
  beside: readonly File[];
  options: Omit<ReadOptions, 'fileBeside'>;
}

export type ReadAnswer = { ok: true; network: Network } | { ok: false; reason: string };

/** A real network is read in well under a second. */
const MAX_MS = 30_000;

/** Of the files of a model the one that has the network; the others may have its weights. */
export function networkFileOf(files: readonly File[]): File | undefined {
  return files.find(({ name }) => !name.endsWith('.bin')) ?? files[0];
}

/**
 * Reads a network file in a thread of its own; of large files only the parts that are needed. It stays in the browser.
 *
 * @throws Error what is wrong with the file, in words
 */
export async function readNetworkFile(
  files: readonly File[],
  options: ReadTask['options'],
): Promise<Network> {
  const file = networkFileOf(files);
  if (file === undefined) throw new Error('Choose a network file.');
  const worker = new Worker(new URL('./network-thread.ts', import.meta.url), { type: 'module' });
  try {
    const answer = await new Promise<ReadAnswer>((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<ReadAnswer>) => {
        resolve(data);
      };
      worker.onerror = ({ message }) => {
        reject(new Error(`The file could not be read: ${message}`));
      };
      setTimeout(() => {
        reject(new Error(`Reading this file takes more than ${MAX_MS / 1000} s, as no real network does.`));
      }, MAX_MS);
      const beside = files.filter((each) => each !== file);
      worker.postMessage({ file, beside, options } satisfies ReadTask);
    });
    if (answer.ok) return answer.network;
    throw new Error(answer.reason);
  } finally {
    worker.terminate();
  }
}
