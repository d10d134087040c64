import './no-code-at-run-time.js';
import { type ByteSource, NetworkError, readNetwork } from '@alphaflops/networks';
import type { ReadAnswer, ReadTask } from './read-network.js';

/** Runs in a web worker. */
self.onmessage = ({ data }: MessageEvent<ReadTask>) => {
  self.postMessage(answer(data));
};

function answer({ file, beside, options }: ReadTask): ReadAnswer {
  try {
    const fileBeside = (name: string) => {
      const found = beside.find((each) => each.name === name);
      return found === undefined ? null : sourceOf(found);
    };
    return { ok: true, network: readNetwork(sourceOf(file), { ...options, fileBeside }) };
  } catch (error) {
    if (error instanceof NetworkError) return { ok: false, reason: error.message };
    return { ok: false, reason: `This file cannot be read: ${String(error)}.` };
  }
}

/** Only web workers have this function. TypeScript's types for pages do not declare it. */
declare class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}

/** Loads only the requested parts. */
function sourceOf(file: File): ByteSource {
  const reader = new FileReaderSync();
  return {
    size: file.size,
    read: (start, end) => new Uint8Array(reader.readAsArrayBuffer(file.slice(start, end))),
  };
}
