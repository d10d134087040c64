import { product, type Shape } from '../shapes.js';
import { MAX_NUMBERS, type Tensor } from './tensor.js';

/** Returns the source of an element of the result: a position in the input, or null for `otherwise`. */
type Origin = (at: readonly number[]) => readonly number[] | null;

/**
 * Returns a tensor with the elements of `x` at other positions. It has values if the values of `x` are known. Axes
 * count from 0. The shape of `x` must be known.
 */
export function moved(x: Tensor, shape: Shape, from: Origin, otherwise: number | null = null): Tensor {
  const result: Tensor = { ...x, shape, count: null, numbers: null, lostAt: null };
  if (x.numbers === null || x.shape === null || product(shape) > MAX_NUMBERS) return result;
  const numbers: number[] = [];
  for (const at of places(shape)) {
    const origin = from(at);
    const value = origin === null ? otherwise : x.numbers[flatIndex(x.shape, origin)];
    if (value === undefined || value === null) return result;
    numbers.push(value);
  }
  return { ...result, numbers };
}

/** Yields all positions of a tensor in row order. */
export function places(shape: Shape): number[][] {
  return Array.from({ length: product(shape) }, (_, index) => placeOf(shape, index));
}

function placeOf(shape: Shape, index: number): number[] {
  const at: number[] = [];
  let rest = index;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] ?? 1;
    at.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return at;
}

function flatIndex(shape: Shape, at: readonly number[]): number {
  return shape.reduce((index, size, axis) => index * size + (at[axis] ?? 0), 0);
}

/** Returns the position in an operand of an element of the broadcast result. */
export function broadcastPlace(shape: Shape, at: readonly number[]): number[] {
  return shape.map((size, axis) => (size === 1 ? 0 : (at[axis - shape.length + at.length] ?? 0)));
}

/** Returns the value of a broadcast operand at a position of the result. */
export function broadcastValue(x: Tensor, at: readonly number[]): number {
  return x.numbers?.[flatIndex(x.shape ?? [], broadcastPlace(x.shape ?? [], at))] ?? NaN;
}

/** Converts an axis that may count from the end to an axis from 0. */
export function axisOf(given: number, rank: number): number {
  return given < 0 ? given + rank : given;
}

/** A slice along one axis: its start, its step and its number of elements. */
export interface Range {
  readonly start: number;
  readonly step: number;
  readonly length: number;
}

/**
 * Returns the slice of an axis of this size, as in NumPy. Bounds may count from the end or be out of range. Returns
 * null for step 0.
 */
export function rangeOf(size: number, start: number, end: number, step: number): Range | null {
  if (step === 0) return null;
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
  const clamped = (bound: number) => Math.min(Math.max(bound < 0 ? bound + size : bound, low), high);
  // A negative bound before the start stays before the first element.
  const [from, to] = [clamped(start), clamped(end)];
  return { start: from, step, length: Math.max(0, Math.ceil((to - from) / step)) };
}

/** Slices a tensor with one range per axis. */
export function slicedBy(x: Tensor, ranges: readonly Range[]): Tensor {
  return moved(
    x,
    ranges.map(({ length }) => length),
    (at) => at.map((index, axis) => (ranges[axis]?.start ?? 0) + index * (ranges[axis]?.step ?? 1)),
  );
}

export function wholeRange(size: number): Range {
  return { start: 0, step: 1, length: size };
}

export function transposedBy(x: Tensor, order: readonly number[]): Tensor | null {
  const { shape } = x;
  const isOrder = shape !== null && order.length === shape.length && new Set(order).size === order.length;
  if (!isOrder || order.some((axis) => shape[axis] === undefined)) return null;
  return moved(
    x,
    order.map((axis) => shape[axis] ?? 0),
    (at) => {
      const origin: number[] = [];
      order.forEach((axis, position) => (origin[axis] = at[position] ?? 0));
      return origin;
    },
  );
}

/**
 * Concatenates tensors along an axis, which may count from the end. Returns null when a shape is unknown or the
 * shapes do not fit.
 */
export function joinedAlong(parts: readonly Tensor[], given: number): Tensor | null {
  const [first] = parts;
  if (first?.shape == null) return null;
  const { shape } = first;
  const axis = axisOf(given, shape.length);
  const starts: number[] = [];
  let length = 0;
  for (const part of parts) {
    if (part.shape?.length !== shape.length || part.shape[axis] === undefined) return null;
    if (part.shape.some((size, other) => other !== axis && size !== shape[other])) return null;
    starts.push(length);
    length += part.shape[axis];
  }
  const joined = shape.map((size, other) => (other === axis ? length : size));
  const result: Tensor = { ...first, shape: joined, count: null, numbers: null, lostAt: null };
  if (product(joined) > MAX_NUMBERS || parts.some(({ numbers }) => numbers === null)) return result;
  const numbers = places(joined).map((at) => {
    const part = starts.findLastIndex((start) => start <= (at[axis] ?? 0));
    const origin = at.map((index, other) => (other === axis ? index - (starts[part] ?? 0) : index));
    return parts[part]?.numbers?.[flatIndex(parts[part].shape ?? [], origin)] ?? NaN;
  });
  return { ...result, numbers };
}

/** Returns the elements of `x` along an axis at the positions in `indices`. */
export function gatheredAlong(x: Tensor, indices: Tensor, given: number): Tensor | null {
  if (x.shape === null || indices.shape === null) return null;
  const axis = axisOf(given, x.shape.length);
  const size = x.shape[axis];
  if (size === undefined) return null;
  const { shape: inner } = indices;
  const shape = [...x.shape.slice(0, axis), ...inner, ...x.shape.slice(axis + 1)];
  if (indices.numbers === null) return { ...x, shape, numbers: null, count: null };
  return moved(x, shape, (at) => {
    const index = indices.numbers?.[flatIndex(inner, at.slice(axis, axis + inner.length))] ?? 0;
    return [...at.slice(0, axis), index < 0 ? index + size : index, ...at.slice(axis + inner.length)];
  });
}

/**
 * Adds elements before and after each axis. A negative number removes elements. `fill` is null if the values are not
 * needed.
 */
export function paddedBy(
  x: Tensor,
  before: readonly number[],
  after: readonly number[],
  fill: number | null,
): Tensor | null {
  const { shape } = x;
  if (shape === null) return null;
  return moved(
    x,
    shape.map((size, axis) => size + (before[axis] ?? 0) + (after[axis] ?? 0)),
    (at) => {
      const origin = at.map((index, axis) => index - (before[axis] ?? 0));
      return origin.every((index, axis) => index >= 0 && index < (shape[axis] ?? 0)) ? origin : null;
    },
    fill,
  );
}

export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  const own = x.shape ?? [];
  return moved(x, shape, (at) => broadcastPlace(own, at));
}
