import type { Network, ReadOptions } from '@alphaflops/networks';

export type { Network };

export interface ReadTask {
  file: File;
  /** Weight files of the same model. */
  beside: readonly File[];
  options: Omit<ReadOptions, 'fileBeside'>;
}

export type ReadAnswer = { ok: true; network: Network } | { ok: false; reason: string };

/** The time limit. Reading a real network takes much less than a second. */
const MAX_MS = 30_000;

/** Finds the file with the network among the files of a model. The other files may contain its weights. */
export function networkFileOf(files: readonly File[]): File | undefined {
  return files.find(({ name }) => !name.endsWith('.bin')) ?? files[0];
}

/**
 * Reads a network file in a separate thread, and only the needed parts of large files. The file stays in the browser. *
 * * @throws Error with a readable description of the problem
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
        reject(
          new Error(
            `Reading this file takes more than ${MAX_MS / 1000} s, much longer than for a real network.`,
          ),
        );
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
