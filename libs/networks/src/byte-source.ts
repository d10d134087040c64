/** A file that loads only the requested parts. It is synchronous, so that web workers and threads use the same code. */
export interface ByteSource {
  /** Length of the file in bytes. */
  readonly size: number;
  /** Returns the bytes from `start` up to `end`. The caller makes sure that both are inside the file. */
  read(start: number, end: number): Uint8Array;
}

export function bytesSource(bytes: Uint8Array): ByteSource {
  return { size: bytes.byteLength, read: (start, end) => bytes.subarray(start, end) };
}

/** Returns all bytes of a file. Check the size of the file first. */
export function allBytes(source: ByteSource): Uint8Array {
  return source.read(0, source.size);
}
