import type { Dtype } from '@alphaflops/conv';
import { toNumber, type OnnxTensor } from './message.js';

/** What is known of a tensor while shapes are inferred. */
export interface Value {
  /** null: not known. */
  readonly shape: readonly number[] | null;
  /** Elements of a small constant, or of a tensor computed from shapes, in row order. */
  readonly numbers: readonly number[] | null;
  /** null: integers, text and what else no convolution is measured in. */
  readonly dtype: Dtype | null;
}

export const UNKNOWN: Value = { shape: null, numbers: null, dtype: null };

/** Tensors with more elements than this are weights, whose values no shape depends on. Also what keeps a hostile file small. */
export const MOST_NUMBERS = 256;
const MOST_AXES = 32;

const FLOAT = 1;
const INT32 = 6;
const INT64 = 7;

export function dtypeOf(elemType: number): Dtype | null {
  return ({ 1: 'f32', 10: 'f16', 16: 'bf16' } as const)[elemType] ?? null;
}

export function valueOf(tensor: OnnxTensor): Value {
  const shape = tensor.dims.map(toNumber);
  const count = shape.reduce((product, size) => product * size, 1);
  const numbers = count <= MOST_NUMBERS ? elements(tensor, count) : null;
  return { shape, numbers, dtype: dtypeOf(tensor.dataType) };
}

/** The value as far as it is worth keeping: a file can make lists and ranks that double with every operator. */
export function kept({ shape, numbers, dtype }: Value): Value {
  if (shape !== null && shape.length > MOST_AXES) return UNKNOWN;
  return { shape, numbers: numbers !== null && numbers.length > MOST_NUMBERS ? null : numbers, dtype };
}

/** A one-dimensional tensor of integers. */
export function numbersValue(numbers: readonly number[], isScalar = false): Value {
  return { shape: isScalar ? [] : [numbers.length], numbers, dtype: null };
}

function elements({ dataType, rawData, int64Data, int32Data, floatData }: OnnxTensor, count: number) {
  // Left out it is an empty list, not empty bytes.
  const { buffer, byteOffset, byteLength } = Uint8Array.from(rawData);
  const view = new DataView(buffer, byteOffset, byteLength);
  const read = (bytes: number, at: (offset: number) => number) =>
    byteLength === count * bytes ? Array.from({ length: count }, (_, i) => at(i * bytes)) : null;
  const given = (data: number[]) => (data.length === count ? data : null);
  switch (dataType) {
    case INT64:
      return given(int64Data.map(toNumber)) ?? read(8, (at) => Number(view.getBigInt64(at, true)));
    case INT32:
      return given(int32Data) ?? read(4, (at) => view.getInt32(at, true));
    case FLOAT:
      return given(floatData) ?? read(4, (at) => view.getFloat32(at, true));
    default:
      return null;
  }
}
