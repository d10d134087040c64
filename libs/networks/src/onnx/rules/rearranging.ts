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
import { elementCount, sized, UNKNOWN, type Tensor } from '../../tensors/tensor.js';
import { broadcast } from '../../shapes.js';
import { NetworkError } from '../../network.js';
import type { NodeView } from '../node-view.js';
import { each, like, one, type Rule } from './rule.js';

/** The same elements in the same order. */
function reshaped(x: Tensor, shape: Shape): Tensor {
  return { ...x, shape, count: null, lostAt: null };
}

/** @throws NetworkError `malformed` when the new sizes have a different number of elements than the input */
function reshape(node: NodeView): Tensor {
  const x = node.input(0);
  const requested = node.intsOrInput('shape', 1);
  const count = elementCount(x);
  if (requested === null) return { ...like(x), shape: null, count, lostAt: null };
  const keepsZero = node.int('allowzero', 0) === 1;
  const sizes = requested.map((size, axis) => (size === 0 && !keepsZero ? (x.shape?.[axis] ?? NaN) : size));
  const open = sizes.indexOf(-1);
  const known = product(sizes.filter((size) => size !== -1));
  if (Number.isNaN(known) || (open !== -1 && count === null)) return { ...like(x), shape: null, count };
  const rest = known === 0 ? 0 : (count ?? 0) / known;
  const fits = open === -1 ? count === null || count === known : Number.isInteger(rest);
  if (!fits || known < 0) {
    const from = x.shape?.join('x') ?? `${count ?? '?'} elements`;
    throw new NetworkError(
      'malformed',
      `Reshape "${node.name}" to ${requested.join('x')} does not fit its input of ${from}. ` +
        'Files that were exported for one batch or image size contain such a Reshape.',
    );
  }
  return reshaped(
    x,
    sizes.map((size) => (size === -1 ? rest : size)),
  );
}

function flatten(node: NodeView): Tensor {
  const x = node.input(0);
  if (x.shape === null) return { ...UNKNOWN, count: x.count, type: x.type };
  const axis = axisOf(node.int('axis', 1), x.shape.length);
  return reshaped(x, [product(x.shape.slice(0, axis)), product(x.shape.slice(axis))]);
}

function squeeze(node: NodeView): Tensor {
  const x = node.input(0);
  const { shape } = x;
  if (shape === null) return { ...UNKNOWN, count: x.count, type: x.type };
  const ones = shape.flatMap((size, axis) => (size === 1 ? [axis] : []));
  const axes = node.axes(shape.length, 1, ones);
  if (axes === null || axes.some((axis) => shape[axis] !== 1)) return UNKNOWN;
  return reshaped(
    x,
    shape.filter((_, axis) => !axes.includes(axis)),
  );
}

function unsqueeze(node: NodeView): Tensor {
  const x = node.input(0);
  const given = node.intsOrInput('axes', 1);
  if (x.shape === null || given === null) return { ...UNKNOWN, count: elementCount(x), type: x.type };
  const rank = x.shape.length + given.length;
  const axes = given.map((axis) => axisOf(axis, rank));
  const rest = [...x.shape];
  return reshaped(
    x,
    Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? 1 : (rest.shift() ?? NaN))),
  );
}

function transpose(node: NodeView): Tensor | null {
  const x = node.input(0);
  if (x.shape === null) return { ...UNKNOWN, count: x.count, type: x.type };
  return transposedBy(x, node.ints('perm') ?? x.shape.map((_, axis) => (x.shape?.length ?? 0) - 1 - axis));
}

function slice(node: NodeView): Tensor | null {
  const x = node.input(0);
  const [starts, ends] = [node.intsOrInput('starts', 1), node.intsOrInput('ends', 2)];
  if (x.shape === null || starts === null || ends === null) return null;
  const axes = node.axes(
    x.shape.length,
    3,
    starts.map((_, axis) => axis),
  );
  const steps = node.hasInput(4) ? node.input(4).numbers : starts.map(() => 1);
  if (axes === null || steps === null) return null;
  const ranges = x.shape.map(wholeRange);
  for (const [at, axis] of axes.entries()) {
    const range = rangeOf(x.shape[axis] ?? 0, starts[at] ?? 0, ends[at] ?? 0, steps[at] ?? 1);
    if (range === null) return null;
    ranges[axis] = range;
  }
  return slicedBy(x, ranges);
}

/** Returns the sizes of the parts along the axis. By default the parts are equal, and the last one may be smaller. */
function split(node: NodeView): Tensor[] {
  const x = node.input(0);
  if (x.shape === null) return [];
  const { shape } = x;
  const axis = axisOf(node.int('axis', 0), shape.length);
  const whole = shape[axis] ?? 0;
  const count = node.int('num_outputs', node.outputCount);
  const even = Math.ceil(whole / count);
  const isGiven = node.ints('split') !== null || node.hasInput(1);
  const parts = isGiven
    ? node.intsOrInput('split', 1)
    : Array.from({ length: count }, (_, at) => Math.max(0, Math.min(even, whole - at * even)));
  let start = 0;
  return (parts ?? []).map((length) => {
    const ranges = shape.map(wholeRange);
    ranges[axis] = { start, step: 1, length };
    start += length;
    return slicedBy(x, ranges);
  });
}

function pad(node: NodeView): Tensor | null {
  const x = node.input(0);
  if (x.shape === null) return null;
  const rank = x.shape.length;
  const given = node.ints('paddings') ?? node.intsOrInput('pads', 1);
  const axes = node.axes(
    rank,
    3,
    x.shape.map((_, axis) => axis),
  );
  if (given === null || axes === null || given.length !== 2 * axes.length) return null;
  const [before, after] = [x.shape.map(() => 0), x.shape.map(() => 0)];
  axes.forEach((axis, at) => {
    before[axis] = given[at] ?? 0;
    after[axis] = given[at + axes.length] ?? 0;
  });
  const isConstant = (node.text('mode') ?? 'constant') === 'constant';
  return paddedBy(
    x,
    before,
    after,
    isConstant && !node.hasInput(2) ? 0 : (node.input(2).numbers?.[0] ?? null),
  );
}

function tile(node: NodeView): Tensor | null {
  const x = node.input(0);
  const repeats = node.input(1).numbers;
  if (x.shape === null || repeats?.length !== x.shape.length) return null;
  const { shape } = x;
  return moved(
    x,
    shape.map((size, axis) => size * (repeats[axis] ?? 1)),
    (at) => at.map((index, axis) => index % (shape[axis] ?? 1)),
  );
}

function expand(node: NodeView): Tensor | null {
  const x = node.input(0);
  const shape = broadcast([x.shape, node.input(1).numbers]);
  return shape === null ? null : broadcastTo(x, shape);
}

function depthToSpace(node: NodeView): Tensor | null {
  const x = node.input(0);
  const block = node.int('blocksize', 1);
  if (x.shape?.length !== 4) return null;
  const [batch = 0, channels = 0, height = 0, width = 0] = x.shape;
  return sized([batch, channels / block ** 2, height * block, width * block], x.type);
}

function spaceToDepth(node: NodeView): Tensor | null {
  const x = node.input(0);
  const block = node.int('blocksize', 1);
  if (x.shape?.length !== 4) return null;
  const [batch = 0, channels = 0, height = 0, width = 0] = x.shape;
  return sized([batch, channels * block ** 2, height / block, width / block], x.type);
}

function gatherNd(node: NodeView): Tensor | null {
  const [x, indices] = [node.input(0).shape, node.input(1).shape];
  const depth = indices?.at(-1);
  if (x === null || indices === null || depth === undefined) return null;
  const shared = node.int('batch_dims', 0);
  return sized([...indices.slice(0, -1), ...x.slice(shared + depth)], node.input(0).type);
}

function centerCropPad(node: NodeView): Tensor | null {
  const x = node.input(0);
  const requested = node.input(1).numbers;
  if (x.shape === null || requested === null) return null;
  const axes = node.axes(
    x.shape.length,
    -1,
    x.shape.map((_, axis) => axis),
  );
  const shape = [...x.shape];
  axes?.forEach((axis, at) => (shape[axis] = requested[at] ?? NaN));
  return sized(shape, x.type);
}

export const REARRANGING_RULES: readonly (readonly [string, Rule])[] = [
  ['Reshape', one(reshape)],
  ['Flatten', one(flatten)],
  ['Squeeze', one(squeeze)],
  ['Unsqueeze', one(unsqueeze)],
  ['Transpose', one(transpose)],
  [
    'Concat',
    one((node) =>
      joinedAlong(node.allInputs(), node.int('axis', node.opset !== null && node.opset < 4 ? 1 : 0)),
    ),
  ],
  ['Slice', one(slice)],
  ['Split', split],
  ['Pad', one(pad)],
  ['Tile', one(tile)],
  ['Expand', one(expand)],
  ['Gather', one((node) => gatheredAlong(node.input(0), node.input(1), node.int('axis', 0)))],
  ['GatherElements', one((node) => like({ ...node.input(1), type: node.input(0).type }))],
  ['GatherND', one(gatherNd)],
  ['DepthToSpace', one(depthToSpace)],
  ['SpaceToDepth', one(spaceToDepth)],
  ['CenterCropPad', one(centerCropPad)],
  ...each('OptionalGetElement Optional', (node) => [node.input(0)]),
];
