import { product } from '../shapes.js';
import { MAX_NUMBERS, UNKNOWN, type ElementType, type Tensor } from '../tensors/tensor.js';
import type { OnnxTensor } from './schema.js';

/** Numbers of `TensorProto.DataType`. */
const TYPES: Readonly<Record<number, ElementType>> = {
  ...{ 1: 'f32', 2: 'u8', 3: 'i8', 4: 'u16', 5: 'i16', 6: 'i32', 7: 'i64', 8: 'text', 9: 'bool', 10: 'f16' },
  ...{ 11: 'f64', 12: 'u32', 13: 'u64', 14: 'c64', 15: 'c128', 16: 'bf16' },
  ...{ 17: 'f8', 18: 'f8', 19: 'f8', 20: 'f8', 21: 'u4', 22: 'i4' },
};

export function elementType(dataType: number): ElementType | null {
  return TYPES[dataType] ?? null;
}

/** Returns a tensor whose values are in the file. It keeps the values if sizes may depend on them. */
export function tensorOf(tensor: OnnxTensor): Tensor {
  const { dims: shape } = tensor;
  const count = product(shape);
  const numbers = count <= MAX_NUMBERS ? elements(tensor, count) : null;
  return { ...UNKNOWN, shape, numbers, type: elementType(tensor.dataType), isWeight: true };
}

function elements(tensor: OnnxTensor, count: number): number[] | null {
  const { rawData, int64Data, int32Data, floatData, doubleData, uint64Data } = tensor;
  const listed = { f32: floatData, f64: doubleData, i64: int64Data, u64: uint64Data, u32: uint64Data };
  const type = elementType(tensor.dataType);
  if (type === null) return null;
  // Narrow types are stored as int32.
  const list = type in listed ? listed[type as keyof typeof listed] : int32Data;
  if (list.length === count) return type === 'f16' || type === 'bf16' ? null : list;
  return rawElements(rawData, type, count);
}

/**
 * Decodes elements in little-endian order, as in ONNX and TensorFlow.js files. Returns null if the number of bytes
 * does not fit.
 */
export function rawElements(bytes: Uint8Array, type: ElementType, count: number): number[] | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read = (size: number, at: (offset: number) => number) =>
    bytes.byteLength === count * size ? Array.from({ length: count }, (_, i) => at(i * size)) : null;
  switch (type) {
    case 'f32':
      return read(4, (at) => view.getFloat32(at, true));
    case 'f64':
      return read(8, (at) => view.getFloat64(at, true));
    case 'f16':
      return read(2, (at) => halfPrecision(view.getUint16(at, true)));
    case 'bf16':
      return read(2, (at) => brainFloat(view.getUint16(at, true)));
    case 'i64':
      return read(8, (at) => Number(view.getBigInt64(at, true)));
    case 'u64':
      return read(8, (at) => Number(view.getBigUint64(at, true)));
    case 'i32':
      return read(4, (at) => view.getInt32(at, true));
    case 'u32':
      return read(4, (at) => view.getUint32(at, true));
    case 'i16':
      return read(2, (at) => view.getInt16(at, true));
    case 'u16':
      return read(2, (at) => view.getUint16(at, true));
    case 'i8':
      return read(1, (at) => view.getInt8(at));
    case 'u8':
    case 'bool':
      return read(1, (at) => view.getUint8(at));
    default:
      return null;
  }
}

/** IEEE 754 binary16. */
function halfPrecision(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const [exponent, fraction] = [(bits >> 10) & 0x1f, bits & 0x3ff];
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function brainFloat(bits: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, bits << 16);
  return view.getFloat32(0);
}
