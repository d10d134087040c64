import type { ByteSource } from '../byte-source.js';

const WINDOW_BYTES = 2 ** 16;
const TWO_32 = 2 ** 32;

/**
 * Reads the wire format of Protocol Buffers from a file. It holds one window of the file at a time and does not load
 * skipped parts. Format: protobuf.dev/programming-guides/encoding.
 *
 * @throws RangeError at the end of the file
 */
export class WireReader {
  position = 0;
  private window: Uint8Array = new Uint8Array();
  private windowStart = 0;
  private readonly text = new TextDecoder();

  constructor(private readonly source: ByteSource) {}

  get size(): number {
    return this.source.size;
  }

  private byte(): number {
    const at = this.position - this.windowStart;
    if (at < 0 || at >= this.window.length) {
      if (this.position >= this.source.size) throw new RangeError('it is truncated');
      this.windowStart = this.position;
      this.window = this.source.read(this.position, Math.min(this.position + WINDOW_BYTES, this.source.size));
      this.position += 1;
      return this.window[0] ?? 0;
    }
    this.position += 1;
    return this.window[at] ?? 0;
  }

  /** Reads a 64-bit integer as two halves. */
  private halves(): readonly [low: number, high: number] {
    let [low, high] = [0, 0];
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.byte();
      const bits = byte & 0x7f;
      if (shift < 28) low += bits * 2 ** shift;
      else if (shift === 28) {
        low += (bits & 0x0f) * 2 ** 28;
        high += bits >> 4;
      } else if (shift < 63) high += bits * 2 ** (shift - 32);
      else high += (bits & 1) * 2 ** 31;
      if (byte < 0x80) return [low, high];
    }
    throw new RangeError('a number in it is longer than ten bytes');
  }

  /** Reads an integer as a Number. It is exact up to 2^53, which is more than any size. */
  uint64(): number {
    const [low, high] = this.halves();
    return high * TWO_32 + low;
  }

  int64(): number {
    const [low, high] = this.halves();
    return (high | 0) * TWO_32 + low;
  }

  int32(): number {
    return this.halves()[0] | 0;
  }

  /** Reads the number of a field and its wire type. Checks a following length against the end of the file. */
  tag(): readonly [field: number, wireType: number] {
    const tag = this.uint64();
    return [Math.floor(tag / 8), tag % 8];
  }

  /** Reads a length and returns the end of the part that follows. */
  end(): number {
    const length = this.uint64();
    const end = this.position + length;
    if (end > this.source.size) throw new RangeError('it is truncated');
    return end;
  }

  bytes(length: number): Uint8Array {
    const [start, end] = [this.position, this.position + length];
    if (end > this.source.size) throw new RangeError('it is truncated');
    this.position = end;
    return this.source.read(start, end).slice();
  }

  string(length: number): string {
    return this.text.decode(this.bytes(length));
  }

  float(): number {
    return new DataView(this.bytes(4).buffer).getFloat32(0, true);
  }

  double(): number {
    return new DataView(this.bytes(8).buffer).getFloat64(0, true);
  }

  skip(wireType: number): void {
    if (wireType === 0) this.halves();
    else if (wireType === 1) this.position += 8;
    else if (wireType === 2) this.position = this.end();
    else if (wireType === 5) this.position += 4;
    else throw new RangeError(`a field has the unknown wire type ${wireType}`);
    if (this.position > this.source.size) throw new RangeError('it is truncated');
  }
}
