import { product, type Shape } from '../../shapes.js';
import {
  axisOf,
  broadcastTo,
  gatheredAlong,
  joinedAlong,
  moved,
  paddedBy,
  rangeOf,
  slicedBy,
  transposedBy,
  wholeRange,
} from '../../tensors/move.js';
import { elementCount, integers, MAX_NUMBERS, sized, UNKNOWN, type Tensor } from '../../tensors/tensor.js';
import type { NodeView } from '../node-view.js';
import { each, one, type Rule } from './rule.js';

function withShape(x: Tensor, shape: Shape): Tensor {
  return { ...x, shape, count: null, lostAt: null };
}

function reshape(node: NodeView): Tensor {
  const [x, requested] = [node.input(0), node.numbers(1)];
  const count = elementCount(x);
  const rest = { ...UNKNOWN, count, type: x.type };
  if (requested === null) return rest;
  const known = product(requested.filter((size) => size !== -1));
  const open = count === null ? NaN : count / known;
  const shape = requested.map((size) => (size === -1 ? open : size));
  return shape.every(Number.isInteger) ? withShape(x, shape) : rest;
}

function expandDims(node: NodeView): Tensor {
  const [x, axis] = [node.input(0), node.numbers(1)?.[0]];
  if (x.shape === null || axis === undefined) return { ...UNKNOWN, count: elementCount(x), type: x.type };
  const at = axisOf(axis, x.shape.length + 1);
  return withShape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
}

function squeeze(node: NodeView): Tensor {
  const x = node.input(0);
  const { shape } = x;
  if (shape === null) return { ...UNKNOWN, count: x.count, type: x.type };
  const given = [...node.ints('squeeze_dims'), ...node.ints('axis')].map((axis) =>
    axisOf(axis, shape.length),
  );
  return withShape(
    x,
    shape.filter((size, axis) => (given.length === 0 ? size !== 1 : !given.includes(axis))),
  );
}

/** The axis is the last input. */
function concat(node: NodeView): Tensor | null {
  const axis = node.numbers(node.inputs.length - 1)?.[0];
  return axis === undefined ? null : joinedAlong(node.inputs.slice(0, -1), axis);
}

function pack(node: NodeView): Tensor | null {
  const rank = node.input(0).shape?.length ?? 0;
  const axis = axisOf(node.int('axis', 0), rank + 1);
  const parts = node.inputs.map((x) =>
    x.shape === null ? x : withShape(x, [...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)]),
  );
  return joinedAlong(parts, axis);
}

function unpack(node: NodeView): Tensor[] {
  const x = node.input(0);
  const { shape } = x;
  if (shape === null) return [];
  const axis = axisOf(node.int('axis', 0), shape.length);
  return Array.from({ length: Math.min(shape[axis] ?? 0, MAX_NUMBERS) }, (_, at) => {
    const ranges = shape.map(wholeRange);
    ranges[axis] = { start: at, step: 1, length: 1 };
    return withShape(
      slicedBy(x, ranges),
      shape.filter((__, other) => other !== axis),
    );
  });
}

/** Splits a tensor into parts of these lengths along an axis. One length may be −1, for the rest. */
function parts(x: Tensor, lengths: readonly number[] | null, given: number | undefined): Tensor[] {
  const { shape } = x;
  if (shape === null || lengths === null || given === undefined) return [];
  const axis = axisOf(given, shape.length);
  const rest = (shape[axis] ?? 0) - lengths.reduce((sum, length) => sum + Math.max(length, 0), 0);
  let start = 0;
  return lengths.map((length) => {
    const ranges = shape.map(wholeRange);
    ranges[axis] = { start, step: 1, length: length === -1 ? rest : length };
    start += ranges[axis].length;
    return slicedBy(x, ranges);
  });
}

function split(node: NodeView): Tensor[] {
  const [axis, x] = [node.numbers(0)?.[0], node.input(1)];
  if (axis === undefined || x.shape === null) return [];
  const count = node.int('num_split', 1);
  const whole = x.shape[axisOf(axis, x.shape.length)] ?? 0;
  return parts(
    x,
    Array.from({ length: count }, () => whole / count),
    axis,
  );
}

function slice(node: NodeView): Tensor | null {
  const [x, begin, size] = [node.input(0), node.numbers(1), node.numbers(2)];
  if (x.shape === null || size === null) return null;
  // The sizes determine the result, unless one of them means "to the end".
  if (begin === null) return size.includes(-1) ? null : sized(size, x.type);
  return slicedBy(
    x,
    x.shape.map((whole, axis) => {
      const start = begin[axis] ?? 0;
      return { start, step: 1, length: size[axis] === -1 ? whole - start : (size[axis] ?? 0) };
    }),
  );
}

/** Slices as in NumPy. The bits of the masks mark omitted bounds, new axes, removed axes, and the position of `...`. */
function stridedSlice(node: NodeView): Tensor | null {
  const [x, begin, end] = [node.input(0), node.numbers(1), node.numbers(2)];
  const strides = node.numbers(3) ?? begin?.map(() => 1) ?? [];
  if (x.shape === null || begin === null || end === null) return null;
  const bit = (name: string, at: number) => ((node.int(name, 0) >> at) & 1) === 1;
  const isNew = (at: number) => bit('new_axis_mask', at);
  const places = begin.map((_, at) => at);
  const taken = places.filter((at) => !isNew(at) && !bit('ellipsis_mask', at)).length;
  const ranges = x.shape.map(wholeRange);
  const shape: (number | null)[] = [];
  let axis = 0;
  for (const at of places) {
    if (bit('ellipsis_mask', at)) {
      const skipped = x.shape.length - taken;
      for (let i = 0; i < skipped; i++, axis++) shape.push(x.shape[axis] ?? null);
      continue;
    }
    if (isNew(at)) {
      shape.push(1);
      continue;
    }
    const [size, step] = [x.shape[axis] ?? 0, strides[at] ?? 1];
    const from = bit('begin_mask', at) ? (step > 0 ? 0 : size) : (begin[at] ?? 0);
    const to = bit('end_mask', at) ? (step > 0 ? size : -size - 1) : (end[at] ?? 0);
    const isOne = bit('shrink_axis_mask', at);
    const range = isOne ? { start: axisOf(from, size), step: 1, length: 1 } : rangeOf(size, from, to, step);
    if (range === null) return null;
    ranges[axis] = range;
    if (!isOne) shape.push(range.length);
    axis += 1;
  }
  for (; axis < x.shape.length; axis++) shape.push(x.shape[axis] ?? null);
  return withShape(
    slicedBy(x, ranges),
    shape.filter((size) => size !== null),
  );
}

function tile(node: NodeView): Tensor | null {
  const [x, times] = [node.input(0), node.numbers(1)];
  const { shape } = x;
  if (shape === null || times === null) return null;
  return moved(
    x,
    shape.map((size, axis) => size * (times[axis] ?? 1)),
    (at) => at.map((index, axis) => index % (shape[axis] ?? 1)),
  );
}

function pad(node: NodeView): Tensor | null {
  const [x, pads] = [node.input(0), node.numbers(1)];
  if (x.shape === null || pads === null) return null;
  const side = (which: 0 | 1) => (x.shape ?? []).map((_, axis) => pads[2 * axis + which] ?? 0);
  return paddedBy(x, side(0), side(1), node.op === 'Pad' ? 0 : null);
}

function gatherNd(node: NodeView): Tensor | null {
  const [x, indices] = [node.input(0).shape, node.input(1).shape];
  const depth = indices?.at(-1);
  return x === null || indices === null || depth === undefined
    ? null
    : sized([...indices.slice(0, -1), ...x.slice(depth)], node.input(0).type);
}

function gather(node: NodeView): Tensor | null {
  const axis = node.inputs.length > 2 ? node.numbers(2)?.[0] : 0;
  return axis === undefined ? null : gatheredAlong(node.input(0), node.input(1), axis);
}

function filled(node: NodeView): Tensor | null {
  const [shape, value] = [node.numbers(0), node.numbers(1)?.[0]];
  if (shape === null) return null;
  const result = sized(shape, node.input(1).type);
  if (value === undefined || product(shape) > MAX_NUMBERS) return result;
  return { ...result, numbers: Array.from({ length: product(shape) }, () => value) };
}

function range(node: NodeView): Tensor | null {
  const [start, limit, step] = [0, 1, 2].map((at) => node.numbers(at)?.[0]);
  if (start === undefined || limit === undefined || step === undefined || step === 0) return null;
  const length = Math.max(0, Math.ceil((limit - start) / step));
  if (length > MAX_NUMBERS) return sized([length], node.input(0).type);
  return { ...integers(Array.from({ length }, (_, at) => start + at * step)), type: node.input(0).type };
}

function oneHot(node: NodeView): Tensor | null {
  const [{ shape }, depth] = [node.input(0), node.numbers(1)?.[0]];
  if (shape === null || depth === undefined) return null;
  const axis = axisOf(node.int('axis', -1), shape.length + 1);
  return sized([...shape.slice(0, axis), depth, ...shape.slice(axis)], node.input(2).type);
}

function topK(node: NodeView): Tensor[] {
  const [{ shape, type }, k] = [node.input(0), node.numbers(1)?.[0]];
  if (shape === null || k === undefined) return [];
  const sizes = [...shape.slice(0, -1), k];
  return [sized(sizes, type), sized(sizes, 'i32')];
}

/** A tensor whose sizes are the values of one of the inputs. */
const ofSizeAt = (at: number): Rule =>
  one((node) => node.numbers(at) && sized(node.numbers(at), node.type('T') ?? 'f32'));

function broadcasted(node: NodeView): Tensor | null {
  const shape = node.numbers(1);
  return shape === null || node.input(0).shape === null ? null : broadcastTo(node.input(0), shape);
}

export const SIZE_RULES: readonly (readonly [string, Rule])[] = [
  ['Reshape', one(reshape)],
  ['ExpandDims', one(expandDims)],
  ['Squeeze', one(squeeze)],
  ['Transpose', one((node) => node.numbers(1) && transposedBy(node.input(0), node.numbers(1) ?? []))],
  ['ConcatV2', one(concat)],
  [
    'Concat',
    one((node) => (node.numbers(0) ? joinedAlong(node.inputs.slice(1), node.numbers(0)?.[0] ?? 0) : null)),
  ],
  ['Pack', one(pack)],
  ['Unpack', unpack],
  ['Split', split],
  ['SplitV', (node) => parts(node.input(0), node.numbers(1), node.numbers(2)?.[0])],
  ['Slice', one(slice)],
  ['StridedSlice', one(stridedSlice)],
  ['Tile', one(tile)],
  ...each('Gather GatherV2 ResourceGather', one(gather)),
  ['GatherNd', one(gatherNd)],
  ...each('Pad PadV2 MirrorPad', one(pad)),
  ['Shape', one(({ inputs: [x] }) => (x?.shape ? { ...integers(x.shape), type: 'i32' } : null))],
  ['ShapeN', ({ inputs }) => inputs.map(({ shape }) => (shape === null ? UNKNOWN : integers(shape)))],
  ['Size', one(({ inputs: [x] }) => (x?.shape ? integers([product(x.shape)], true) : null))],
  ['Rank', one(({ inputs: [x] }) => (x?.shape ? integers([x.shape.length], true) : null))],
  ['Fill', one(filled)],
  ['Range', one(range)],
  ['OneHot', one(oneHot)],
  ['BroadcastTo', one(broadcasted)],
  ['TopKV2', topK],
  ...each('RandomUniform RandomStandardNormal TruncatedNormal RandomUniformInt Empty', ofSizeAt(0)),
  ['ScatterNd', ofSizeAt(2)],
  ['SparseToDense', ofSizeAt(1)],
  ['LinSpace', one((node) => node.numbers(2) && sized(node.numbers(2), 'f32'))],
  // The number of their elements depends on the values.
  ...each(
    'Where Unique UniqueV2 NonMaxSuppressionV2 NonMaxSuppressionV3 NonMaxSuppressionV4 NonMaxSuppressionV5',
    () => [],
  ),
  ...each('NoOp Assert Print', () => []),
];
