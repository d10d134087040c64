import { product, type Shape } from '../shapes.js';
import { MAX_NUMBERS, type Tensor } from './tensor.js';

/** Where an element of the result comes from: a place in the input, or null for `otherwise`. */
type Origin = (at: readonly number[]) => readonly number[] | null;

/**
 * A tensor whose elements are those of `x` in other places: the shape, and the values where those of `x` are known.
 * Axes count from 0; `shape` must be known.
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

/** All places of a tensor in row order. */
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

/** Where an element of a broadcast result stands in an operand. */
export function broadcastPlace(shape: Shape, at: readonly number[]): number[] {
  return shape.map((size, axis) => (size === 1 ? 0 : (at[axis - shape.length + at.length] ?? 0)));
}

/** The value of a broadcast operand at a place of the result. */
export function broadcastValue(x: Tensor, at: readonly number[]): number {
  return x.numbers?.[flatIndex(x.shape ?? [], broadcastPlace(x.shape ?? [], at))] ?? NaN;
}

/** An axis that may count from the end. */
export function axisOf(given: number, rank: number): number {
  return given < 0 ? given + rank : given;
}

/** One slice along one axis: where it starts, by what it steps, how many elements it has. */
export interface Range {
  readonly start: number;
  readonly step: number;
  readonly length: number;
}

/** NumPy's slice of an axis of that size; the bounds may count from the end and lie outside. Step 0 gives null. */
export function rangeOf(size: number, start: number, end: number, step: number): Range | null {
  if (step === 0) return null;
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
  const clamped = (bound: number) => Math.min(Math.max(bound < 0 ? bound + size : bound, low), high);
  // A negative bound past the front stays before the first element.
  const [from, to] = [clamped(start), clamped(end)];
  return { start: from, step, length: Math.max(0, Math.ceil((to - from) / step)) };
}

/** One range for each axis. */
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

/** Joined along an axis that may count from the end; null when a shape is unknown or they do not fit. */
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

/** Elements of `x` along an axis at the places that `indices` names. */
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

/** Elements before and after each axis, negative ones cut off; `fill` is null where the values do not matter. */
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
