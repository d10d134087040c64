import { product } from '../../shapes.js';
import { FOLDS, reducedAlong, type Fold } from '../../tensors/compute.js';
import { axisOf, places } from '../../tensors/move.js';
import { integers, MAX_NUMBERS, sized, UNKNOWN, type Tensor } from '../../tensors/tensor.js';
import type { NodeView } from '../node-view.js';
import { elementType } from '../tensor-of.js';
import { each, like, one, type Rule } from './rule.js';

const reduce = (fold: Fold | null): Rule =>
  one((node) => {
    const x = node.input(0);
    if (x.shape === null) return null;
    const all = x.shape.map((_, axis) => axis);
    const axes = node.axes(x.shape.length, 1, all);
    if (axes === null) return null;
    if (axes.length === 0 && node.int('noop_with_empty_axes', 0) === 1) return like(x);
    return reducedAlong(x, axes.length === 0 ? all : axes, node.int('keepdims', 1) === 1, fold);
  });

function argument(node: NodeView): Tensor {
  const x = node.input(0);
  if (x.shape === null) return UNKNOWN;
  const axis = axisOf(node.int('axis', 0), x.shape.length);
  return { ...reducedAlong(x, [axis], node.int('keepdims', 1) === 1, null), type: 'i64' };
}

function constant(node: NodeView): Tensor {
  const tensor = node.tensor('value');
  if (tensor !== null) return tensor;
  const list = node.ints('value_ints');
  if (list !== null) return { ...integers(list), isWeight: true };
  if (node.has('value_int')) return { ...integers([node.int('value_int', 0)], true), isWeight: true };
  const floats = node.floats('value_floats');
  if (floats !== null) return { ...sized([floats.length], 'f32'), numbers: floats, isWeight: true };
  if (node.has('value_float')) return { ...sized([], 'f32'), numbers: [node.float('value_float', 0)] };
  return node.has('value_string') ? sized([], 'text') : UNKNOWN;
}

function constantOfShape(node: NodeView): Tensor | null {
  const shape = node.input(0).numbers;
  if (shape === null) return null;
  const value = node.tensor('value');
  const result = sized(shape, value === null ? 'f32' : value.type);
  const number = value === null ? 0 : value.numbers?.[0];
  if (number === undefined || product(shape) > MAX_NUMBERS) return result;
  return { ...result, numbers: Array.from({ length: product(shape) }, () => number) };
}

function shapeOf(node: NodeView): Tensor | null {
  const { shape } = node.input(0);
  return shape && integers(shape.slice(node.int('start', 0), node.int('end', shape.length)));
}

function range(node: NodeView): Tensor | null {
  const [start, limit, step] = [0, 1, 2].map((at) => node.input(at).numbers?.[0]);
  if (start === undefined || limit === undefined || step === undefined || step === 0) return null;
  const length = Math.max(0, Math.ceil((limit - start) / step));
  const result = sized([length], node.input(0).type);
  if (length > MAX_NUMBERS) return result;
  return { ...result, numbers: Array.from({ length }, (_, at) => start + at * step) };
}

function nonZero(node: NodeView): Tensor | null {
  const x = node.input(0);
  if (x.numbers === null || x.shape === null) return null;
  const found = places(x.shape).filter((_, index) => x.numbers?.[index] !== 0);
  const numbers = x.shape.flatMap((_, axis) => found.map((at) => at[axis] ?? 0));
  return { ...sized([x.shape.length, found.length], 'i64'), numbers };
}

function topK(node: NodeView): Tensor[] {
  const x = node.input(0);
  const k = node.hasInput(1) ? node.input(1).numbers?.[0] : node.int('k', 1);
  if (x.shape === null || k === undefined) return [];
  const axis = axisOf(node.int('axis', -1), x.shape.length);
  const shape = x.shape.map((size, at) => (at === axis ? k : size));
  return [sized(shape, x.type), sized(shape, 'i64')];
}

function oneHot(node: NodeView): Tensor | null {
  const { shape } = node.input(0);
  const depth = node.input(1).numbers?.[0];
  if (shape === null || depth === undefined) return null;
  const axis = axisOf(node.int('axis', -1), shape.length + 1);
  return sized([...shape.slice(0, axis), depth, ...shape.slice(axis)], node.input(2).type);
}

/** Random tensors: their size is in the file, or is the size of an input. */
function random(node: NodeView): Tensor {
  return sized(node.ints('shape'), elementType(node.int('dtype', 1)));
}

function randomLike(node: NodeView): Tensor {
  return like(node.input(0), elementType(node.int('dtype', 0)) ?? node.input(0).type);
}

export const SIZE_RULES: readonly (readonly [string, Rule])[] = [
  ...each('ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceSumSquare', reduce(null)),
  ['ReduceSum', reduce(FOLDS.sum)],
  ['ReduceProd', reduce(FOLDS.product)],
  ['ReduceMax', reduce(FOLDS.maximum)],
  ['ReduceMin', reduce(FOLDS.minimum)],
  ['ReduceMean', reduce(FOLDS.mean)],
  ...each('ArgMax ArgMin', one(argument)),
  ['Constant', one(constant)],
  ['ConstantOfShape', one(constantOfShape)],
  ['Shape', one(shapeOf)],
  ['Size', one((node) => node.input(0).shape && integers([product(node.input(0).shape ?? [])], true))],
  ['Range', one(range)],
  ['NonZero', one(nonZero)],
  ['TopK', topK],
  ['OneHot', one(oneHot)],
  ['EyeLike', one(randomLike)],
  ...each('RandomNormal RandomUniform', one(random)),
  ...each('RandomNormalLike RandomUniformLike', one(randomLike)),
  // The number of their elements depends on the values.
  ...each('Compress NonMaxSuppression Unique', () => []),
  ...each(
    'Det',
    one((node) => sized(node.input(0).shape?.slice(0, -2) ?? null, node.input(0).type)),
  ),
];
