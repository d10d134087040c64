import { product, type Shape } from '../shapes.js';

/** Element types in network files. Types that ConvSpec has use the names of ConvSpec. */
export const ELEMENT_TYPES = [
  ...['f32', 'f16', 'bf16', 'f64', 'i64', 'i32', 'i16', 'i8', 'i4', 'u64', 'u32', 'u16', 'u8', 'u4'],
  ...['bool', 'text', 'c64', 'c128', 'f8'],
] as const;
export type ElementType = (typeof ELEMENT_TYPES)[number];

/** The operator or input at which a size was lost. */
export interface Loss {
  readonly name: string;
  readonly op: string;
}

/** The known properties of a tensor before a network runs. */
export interface Tensor {
  /** null: unknown. */
  readonly shape: Shape | null;
  /** Number of elements if the shape is unknown. A reshape keeps it. */
  readonly count: number | null;
  /** The elements in row order, of a small constant or a tensor that is computed from sizes. Booleans are 0 and 1. */
  readonly numbers: readonly number[] | null;
  readonly type: ElementType | null;
  /** Computed only from values in the file. */
  readonly isWeight: boolean;
  /** Where the size was lost, if the shape is unknown. */
  readonly lostAt: Loss | null;
}

export const UNKNOWN: Tensor = {
  ...{ shape: null, count: null, numbers: null, type: null, isWeight: false, lostAt: null },
};

/** Tensors with more elements are weights or activations. No size depends on their values. */
export const MAX_NUMBERS = 1024;
export const MAX_AXES = 32;

/** A tensor with a known type and a known or unknown size. */
export function sized(shape: Shape | null, type: ElementType | null): Tensor {
  return { ...UNKNOWN, shape, type };
}

/** A list of integers, the form of sizes and axes. It can also be a scalar. */
export function integers(numbers: readonly number[], isScalar = false): Tensor {
  return { ...UNKNOWN, shape: isScalar ? [] : [numbers.length], numbers, type: 'i64' };
}

export function elementCount({ shape, count }: Tensor): number | null {
  return shape === null ? count : product(shape);
}

const BITS: Partial<Record<ElementType, readonly [bits: number, isSigned: boolean]>> = {
  ...{ i32: [32, true], i16: [16, true], i8: [8, true], i4: [4, true] },
  ...{ u32: [32, false], u16: [16, false], u8: [8, false], u4: [4, false] },
};

/** Rounds a number to the element type: integers are truncated towards zero and wrap, f32 has 24 bits of mantissa. */
export function asType(value: number, type: ElementType | null): number {
  if (type === 'f32') return Math.fround(value);
  if (type === 'bool') return value === 0 ? 0 : 1;
  if (type === 'i64' || type === 'u64') return Math.trunc(value);
  const bits = type === null ? undefined : BITS[type];
  if (bits === undefined) return value;
  const [width, isSigned] = bits;
  const range = 2 ** width;
  const wrapped = ((Math.trunc(value) % range) + range) % range;
  return isSigned && wrapped >= range / 2 ? wrapped - range : wrapped;
}

export function isInteger(type: ElementType | null): boolean {
  return type !== null && /^[iu]\d/.test(type);
}

/** Drops values and shapes that are too large: a malicious file can double lists and ranks with every operator. */
export function kept(tensor: Tensor): Tensor {
  const { shape, numbers } = tensor;
  const isSound = shape === null || (shape.length <= MAX_AXES && shape.every(isSize));
  if (!isSound) return { ...tensor, shape: null, count: null, numbers: null };
  if (numbers === null) return tensor;
  const isWhole = shape !== null && numbers.length <= MAX_NUMBERS && numbers.length === product(shape);
  return isWhole && !numbers.some(Number.isNaN) ? tensor : { ...tensor, numbers: null };
}

function isSize(size: number): boolean {
  return Number.isInteger(size) && size >= 0;
}
