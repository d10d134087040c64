/** A file of which only the parts that are asked for are loaded. Synchronous, so that web workers and threads read alike. */
export interface ByteSource {
  /** Length of the file in bytes. */
  readonly size: number;
  /** Bytes from `start` up to `end`, which the caller keeps within the file. */
  read(start: number, end: number): Uint8Array;
}

export function bytesSource(bytes: Uint8Array): ByteSource {
  return { size: bytes.byteLength, read: (start, end) => bytes.subarray(start, end) };
}

/** All bytes of a file. Check its size first. */
export function allBytes(source: ByteSource): Uint8Array {
  return source.read(0, source.size);
}
