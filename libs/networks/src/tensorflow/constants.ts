import type { ByteSource } from '../byte-source.js';
import type { ReadOptions } from '../network.js';
import { rawElements } from '../onnx/tensor-of.js';
import { product } from '../shapes.js';
import { MAX_NUMBERS, type ElementType } from '../tensors/tensor.js';
import type { WeightsManifest } from './graph.js';

const TYPES: Readonly<Record<string, readonly [ElementType, bytes: number]>> = {
  ...{ float32: ['f32', 4], int32: ['i32', 4], bool: ['bool', 1], float16: ['f16', 2] },
  ...{ uint8: ['u8', 1], uint16: ['u16', 2], complex64: ['c64', 8] },
};

/**
 * Reads the values of small constants, by name: integers, on which sizes depend, and floats that are not quantized.
 * The values are in the weight files of the model, one tensor after another in each group.
 */
export function smallConstants(
  manifest: WeightsManifest,
  fileBeside: ReadOptions['fileBeside'],
): Map<string, readonly number[]> {
  const constants = new Map<string, readonly number[]>();
  if (fileBeside === undefined) return constants;
  for (const { paths, weights } of manifest) {
    const files = paths.map((path) => fileBeside(path));
    let offset = 0;
    for (const { name, shape, dtype, quantization } of weights) {
      const known = TYPES[quantization?.dtype ?? dtype];
      // Texts have no fixed length, so the position of the following tensors is unknown.
      if (known === undefined) break;
      const [type, bytes] = known;
      const count = product(shape);
      if (count <= MAX_NUMBERS && quantization === undefined) {
        const found = bytesOf(files, offset, count * bytes);
        const numbers = found && rawElements(found, type, count);
        if (numbers) constants.set(name, numbers);
      }
      offset += count * bytes;
    }
  }
  return constants;
}

/** Returns bytes from consecutive files; null if a required file is missing. */
function bytesOf(files: readonly (ByteSource | null)[], offset: number, length: number): Uint8Array | null {
  const result = new Uint8Array(length);
  let [start, filled] = [0, 0];
  for (const file of files) {
    if (file === null) return null;
    const from = Math.max(offset + filled - start, 0);
    if (filled < length && from < file.size) {
      const piece = file.read(from, Math.min(file.size, from + length - filled));
      result.set(piece, filled);
      filled += piece.byteLength;
    }
    start += file.size;
  }
  return filled === length ? result : null;
}
