import { outputAlong } from '../geometry.js';
import { broadcast, concatenated, product, reshaped, type Shape } from '../shapes.js';
import type { NodeView } from './node-view.js';
import { MOST_NUMBERS, numbersValue, UNKNOWN, type Value } from './value.js';

/** The outputs of an operator, as far as they are known. */
type Rule = (node: NodeView) => readonly Value[];

/**
 * Shapes of operators that have no cost here. An operator without a rule has unknown outputs, and a convolution behind
 * one is named as not costed, unless the file itself says the shape. Rules: the operators' pages in onnx/docs/Operators.md.
 */
export function inferred(node: NodeView): readonly Value[] {
  const rule = RULES.get(node.op);
  return rule === undefined ? [] : rule(node);
}

const passed: Rule = (node) => [node.input(0)];
const sameShape: Rule = (node) => [{ ...node.input(0), numbers: null }];
const shaped = (shape: Shape | null, like: Value): Value => ({ shape, numbers: null, dtype: like.dtype });

const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...['Identity', 'Dropout', 'Cast'].map((op) => [op, passed] as const),
  ...[
    ...[
      'Relu',
      'LeakyRelu',
      'PRelu',
      'Clip',
      'Elu',
      'Selu',
      'Celu',
      'Gelu',
      'Mish',
      'Sigmoid',
      'HardSigmoid',
    ],
    ...['HardSwish', 'Softplus', 'Softsign', 'Tanh', 'Erf', 'Exp', 'Log', 'Sqrt', 'Reciprocal', 'Neg', 'Abs'],
    ...['Floor', 'Ceil', 'Round', 'Softmax', 'LogSoftmax', 'BatchNormalization', 'InstanceNormalization'],
    ...['LayerNormalization', 'GroupNormalization', 'LRN', 'LpNormalization', 'ThresholdedRelu'],
  ].map((op) => [op, sameShape] as const),
  ...(
    [
      ['Add', (a, b) => a + b],
      ['Sub', (a, b) => a - b],
      ['Mul', (a, b) => a * b],
      ['Div', (a, b) => Math.trunc(a / b)],
    ] as [string, (a: number, b: number) => number][]
  ).map(([op, of]) => [op, (node: NodeView) => [combined(node, of)]] as const),
  ...['Pow', 'Max', 'Min', 'Sum', 'Mean', 'Where', 'Mod'].map(
    (op) => [op, (node: NodeView) => [combined(node, null)]] as const,
  ),
  ...['MaxPool', 'AveragePool', 'LpPool'].map((op) => [op, (node: NodeView) => [pooled(node)]] as const),
  ...['GlobalAveragePool', 'GlobalMaxPool', 'GlobalLpPool'].map(
    (op) =>
      [
        op,
        (node: NodeView) => {
          const x = node.input(0);
          return [shaped(x.shape && x.shape.map((size, axis) => (axis < 2 ? size : 1)), x)];
        },
      ] as const,
  ),
  ...['ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceSum', 'ReduceL2'].map(
    (op) => [op, (node: NodeView) => [reduced(node)]] as const,
  ),
  [
    'Constant',
    (node) => [node.tensor('value') ?? numbersValue(node.ints('value_ints') ?? [node.int('value_int', 0)])],
  ],
  ['ConstantOfShape', (node) => [shaped(node.input(0).numbers, UNKNOWN)]],
  ['Shape', (node) => [shapeOf(node)]],
  ['Concat', (node) => [joined(node)]],
  ['Flatten', (node) => [flattened(node)]],
  ['Reshape', (node) => [resizedByShape(node)]],
  ['Transpose', (node) => [transposed(node)]],
  ['Squeeze', (node) => [squeezed(node)]],
  ['Unsqueeze', (node) => [unsqueezed(node)]],
  ['Gather', (node) => [gathered(node)]],
  ['Slice', (node) => [sliced(node)]],
  ['Split', split],
  ['Pad', (node) => [padded(node)]],
  ['Resize', (node) => [resized(node, 2, 3)]],
  ['Upsample', (node) => [resized(node, 1, -1)]],
  ['Expand', (node) => [shaped(broadcast([node.input(0).shape, node.input(1).numbers]), node.input(0))]],
]);

/** Element by element; computes too, where both sides are known numbers. */
function combined(node: NodeView, of: ((a: number, b: number) => number) | null): Value {
  const values = Array.from({ length: node.inputCount }, (_, at) => node.input(at));
  const shape = broadcast(values.map((value) => value.shape));
  const dtype = values.find((value) => value.dtype !== null)?.dtype ?? null;
  const [a, b] = values;
  if (of === null || !a?.numbers || !b?.numbers || shape === null || product(shape) > MOST_NUMBERS) {
    return { shape, numbers: null, dtype };
  }
  const [left, right] = [a.numbers, b.numbers];
  const numbers = Array.from({ length: product(shape) }, (_, i) =>
    of(left[i % left.length] ?? NaN, right[i % right.length] ?? NaN),
  );
  return { shape, numbers, dtype };
}

function pooled(node: NodeView): Value {
  const x = node.input(0);
  if (x.shape === null) return UNKNOWN;
  const [batch = 0, channels = 0, ...spatial] = x.shape;
  if (spatial.length > 2) return UNKNOWN;
  const [kernel, strides, dilations] = [
    node.pair('kernel_shape', 1),
    node.pair('strides', 1),
    node.pair('dilations', 1),
  ];
  const pads = node.pads(spatial.length);
  const ceil = node.int('ceil_mode', 0) === 1;
  const sizes = spatial.map((size, at) => {
    const axis = at === 0 && spatial.length === 2 ? 0 : 1;
    return outputAlong(size, kernel[axis], strides[axis], dilations[axis], pads, axis, ceil);
  });
  return shaped([batch, channels, ...sizes], x);
}

function axesOf(node: NodeView, rank: number): readonly number[] | null {
  return node.intsOrInput('axes', 1)?.map((axis) => (axis < 0 ? axis + rank : axis)) ?? null;
}

function reduced(node: NodeView): Value {
  const x = node.input(0);
  if (x.shape === null || (node.inputCount > 1 && node.input(1).numbers === null)) return UNKNOWN;
  const axes = axesOf(node, x.shape.length) ?? x.shape.map((_, axis) => axis);
  const keeps = node.int('keepdims', 1) === 1;
  const shape = x.shape.flatMap((size, axis) => (!axes.includes(axis) ? [size] : keeps ? [1] : []));
  return shaped(shape, x);
}

function shapeOf(node: NodeView): Value {
  const { shape } = node.input(0);
  if (shape === null) return UNKNOWN;
  return numbersValue(shape.slice(node.int('start', 0), node.int('end', shape.length)));
}

function joined(node: NodeView): Value {
  const values = Array.from({ length: node.inputCount }, (_, at) => node.input(at));
  const shape = concatenated(
    values.map((value) => value.shape),
    node.int('axis', 0),
  );
  const isList = shape?.length === 1 && values.every((value) => value.numbers !== null);
  const numbers = isList ? values.flatMap((value) => value.numbers ?? []) : null;
  return { shape, numbers, dtype: values[0]?.dtype ?? null };
}

function flattened(node: NodeView): Value {
  const x = node.input(0);
  if (x.shape === null) return UNKNOWN;
  const given = node.int('axis', 1);
  const axis = given < 0 ? given + x.shape.length : given;
  return shaped([product(x.shape.slice(0, axis)), product(x.shape.slice(axis))], x);
}

function resizedByShape(node: NodeView): Value {
  const x = node.input(0);
  const wanted = node.intsOrInput('shape', 1);
  if (wanted === null) return UNKNOWN;
  const keepsZero = node.int('allowzero', 0) === 1;
  const sizes = wanted.map((size, axis) => (size === 0 && !keepsZero ? (x.shape?.[axis] ?? NaN) : size));
  return { shape: reshaped(x.shape, sizes), numbers: x.numbers, dtype: x.dtype };
}

function transposed(node: NodeView): Value {
  const x = node.input(0);
  if (x.shape === null) return UNKNOWN;
  const { shape } = x;
  const order = node.ints('perm') ?? shape.map((_, axis) => shape.length - 1 - axis);
  return shaped(
    order.map((axis) => shape[axis] ?? NaN),
    x,
  );
}

function squeezed(node: NodeView): Value {
  const x = node.input(0);
  if (x.shape === null) return UNKNOWN;
  const axes = axesOf(node, x.shape.length);
  const shape = x.shape.filter((size, axis) => (axes === null ? size !== 1 : !axes.includes(axis)));
  return { ...x, shape };
}

function unsqueezed(node: NodeView): Value {
  const x = node.input(0);
  const given = node.intsOrInput('axes', 1);
  if (x.shape === null || given === null) return UNKNOWN;
  const rank = x.shape.length + given.length;
  const axes = given.map((axis) => (axis < 0 ? axis + rank : axis));
  const rest = [...x.shape];
  const shape = Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? 1 : (rest.shift() ?? NaN)));
  return { ...x, shape };
}

function gathered(node: NodeView): Value {
  const [x, indices] = [node.input(0), node.input(1)];
  if (x.shape === null || indices.shape === null) return UNKNOWN;
  const given = node.int('axis', 0);
  const axis = given < 0 ? given + x.shape.length : given;
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  const source = x.numbers;
  if (source === null || indices.numbers === null || x.shape.length !== 1) return shaped(shape, x);
  const numbers = indices.numbers.map((at) => source[at < 0 ? at + source.length : at] ?? NaN);
  return numbers.some(Number.isNaN) ? UNKNOWN : { shape, numbers, dtype: x.dtype };
}

function sliced(node: NodeView): Value {
  const x = node.input(0);
  const [starts, ends] = [node.intsOrInput('starts', 1), node.intsOrInput('ends', 2)];
  if (x.shape === null || starts === null || ends === null) return UNKNOWN;
  const rank = x.shape.length;
  const axes = (node.intsOrInput('axes', 3) ?? starts.map((_, axis) => axis)).map((axis) =>
    axis < 0 ? axis + rank : axis,
  );
  const steps = node.input(4).numbers ?? starts.map(() => 1);
  let numbers = rank === 1 ? x.numbers : null;
  const shape = x.shape.map((size, axis) => {
    const at = axes.indexOf(axis);
    if (at === -1) return size;
    const step = steps[at] ?? 1;
    const clamp = (index: number) => Math.min(Math.max(index < 0 ? index + size : index, 0), size);
    const [from, to] = [clamp(starts[at] ?? 0), clamp(ends[at] ?? size)];
    if (step < 1) return step === -1 ? size : NaN;
    numbers &&= numbers.slice(from, to).filter((_, index) => index % step === 0);
    return Math.max(0, Math.ceil((to - from) / step));
  });
  return shape.some(Number.isNaN) ? UNKNOWN : { shape, numbers, dtype: x.dtype };
}

function split(node: NodeView): readonly Value[] {
  const x = node.input(0);
  if (x.shape === null) return [];
  const given = node.int('axis', 0);
  const along = given < 0 ? given + x.shape.length : given;
  const whole = x.shape[along] ?? 0;
  const even = Math.ceil(whole / node.outputCount);
  const parts =
    node.intsOrInput('split', 1) ??
    Array.from({ length: node.outputCount }, (_, at) => Math.min(even, whole - at * even));
  return parts.map((part) =>
    shaped(x.shape && x.shape.map((size, axis) => (axis === along ? part : size)), x),
  );
}

function padded(node: NodeView): Value {
  const x = node.input(0);
  const pads = node.intsOrInput('pads', 1);
  // Version 18 can pad some axes only, named by a fourth input.
  if (x.shape === null || pads?.length !== 2 * x.shape.length) return UNKNOWN;
  const rank = x.shape.length;
  return shaped(
    x.shape.map((size, axis) => size + (pads[axis] ?? 0) + (pads[axis + rank] ?? 0)),
    x,
  );
}

function resized(node: NodeView, scalesAt: number, sizesAt: number): Value {
  const x = node.input(0);
  if (x.shape === null) return UNKNOWN;
  const rank = x.shape.length;
  const sizes = node.input(sizesAt).numbers;
  if (sizes?.length === rank) return shaped(sizes, x);
  const scales = node.input(scalesAt).numbers;
  if (scales?.length !== rank) return UNKNOWN;
  return shaped(
    x.shape.map((size, axis) => Math.floor(size * (scales[axis] ?? 1))),
    x,
  );
}
