import {
  ARITHMETIC,
  CHOOSE,
  computed,
  DIVIDE,
  elementwise,
  LOGIC,
  type Compute,
} from '../../tensors/compute.js';
import { asType, sized, UNKNOWN, type Tensor } from '../../tensors/tensor.js';
import type { NodeView } from '../node-view.js';
import { elementType } from '../tensor-of.js';
import { each, like, one, type Rule } from './rule.js';

const sameSize = (node: NodeView) => [like(node.input(0))];

const unary = (compute: Compute): Rule =>
  one((node) => computed([node.input(0)], node.input(0).shape, compute, node.input(0).type));

/** In versions before 7, attributes define how the second operand is broadcast to the first. */
const binary = (compute: Compute | null, isLogic = false): Rule =>
  one((node) => {
    const [a, b] = [node.input(0), node.input(1)];
    const type = isLogic
      ? 'bool'
      : a.type === null || (b.isWeight && !a.isWeight)
        ? (a.type ?? b.type)
        : a.type;
    if (node.has('broadcast') || node.has('axis')) return sized(a.shape, type);
    return elementwise([a, b], compute, type);
  });

const variadic = (compute: Compute): Rule => one((node) => elementwise(node.allInputs(), compute));

function cast(node: NodeView, type: Tensor['type']): Tensor {
  const x = node.input(0);
  return { ...x, type, numbers: x.numbers?.map((value) => asType(value, type)) ?? null };
}

/** The statistics of a normalization in training have one number per channel. */
function batchNormalized(node: NodeView): Tensor[] {
  const statistics = like(node.input(3));
  return [like(node.input(0)), statistics, statistics, statistics, statistics];
}

function layerNormalized(node: NodeView): Tensor[] {
  const x = node.input(0);
  const given = node.int('axis', -1);
  const axis = given < 0 ? given + (x.shape?.length ?? 0) : given;
  const statistics = sized(x.shape?.map((size, at) => (at < axis ? size : 1)) ?? null, 'f32');
  return [like(x), statistics, statistics];
}

export const ELEMENTWISE_RULES: readonly (readonly [string, Rule])[] = [
  ...each(
    'Acos Acosh Asin Asinh Atan Atanh BitwiseNot Celu Clip Cos Cosh CumSum CumProd Elu Erf Gelu HardSigmoid HardSwish Hardmax ' +
      'LeakyRelu LogSoftmax LpNormalization LRN MeanVarianceNormalization Mish PRelu Selu Shrink Sigmoid Sin Sinh ' +
      'Softmax Softplus Softsign Swish Tan Tanh ThresholdedRelu Trilu InstanceNormalization GroupNormalization ' +
      'RMSNormalization ReverseSequence ScatterElements ScatterND Scatter TensorScatter RotaryEmbedding ' +
      'ImageScaler ParametricSoftplus ScaledTanh Affine Bernoulli',
    sameSize,
  ),
  ['BatchNormalization', batchNormalized],
  ['LayerNormalization', layerNormalized],
  ['Relu', unary(([a = NaN]) => Math.max(a, 0))],
  ['Abs', unary(ARITHMETIC.absolute)],
  ['Ceil', unary(ARITHMETIC.ceil)],
  ['Exp', unary(ARITHMETIC.exponential)],
  ['Floor', unary(ARITHMETIC.floor)],
  ['Identity', (node) => [node.input(0)]],
  ['Dropout', (node) => [node.input(0), like(node.input(0), 'bool')]],
  ['Log', unary(ARITHMETIC.logarithm)],
  ['Neg', unary(ARITHMETIC.negate)],
  ['Reciprocal', unary(ARITHMETIC.reciprocal)],
  ['Round', unary(ARITHMETIC.round)],
  ['Sign', unary(ARITHMETIC.sign)],
  ['Sqrt', unary(ARITHMETIC.squareRoot)],
  ['Not', one((node) => computed([node.input(0)], node.input(0).shape, LOGIC.not, 'bool'))],
  ...each('IsInf IsNaN', (node) => [like(node.input(0), 'bool')]),
  ['Add', binary(ARITHMETIC.add)],
  ['Sub', binary(ARITHMETIC.subtract)],
  ['Mul', binary(ARITHMETIC.multiply)],
  ['Div', binary(DIVIDE)],
  ['Pow', binary(ARITHMETIC.power)],
  ['Mod', (node) => binary(node.int('fmod', 0) === 1 ? ARITHMETIC.truncatedMod : ARITHMETIC.floorMod)(node)],
  ...each('BitShift BitwiseAnd BitwiseOr BitwiseXor', binary(null)),
  ['And', binary(LOGIC.and, true)],
  ['Or', binary(LOGIC.or, true)],
  ['Xor', binary(LOGIC.xor, true)],
  ['Equal', binary(LOGIC.equal, true)],
  ['Greater', binary(LOGIC.greater, true)],
  ['GreaterOrEqual', binary(LOGIC.greaterOrEqual, true)],
  ['Less', binary(LOGIC.less, true)],
  ['LessOrEqual', binary(LOGIC.lessOrEqual, true)],
  ['Max', variadic(ARITHMETIC.maximum)],
  ['Min', variadic(ARITHMETIC.minimum)],
  ['Mean', variadic(ARITHMETIC.mean)],
  ['Sum', variadic(ARITHMETIC.add)],
  [
    'Where',
    one((node) =>
      elementwise(
        [node.input(0), node.input(1), node.input(2)],
        CHOOSE,
        node.input(1).type ?? node.input(2).type,
      ),
    ),
  ],
  ['Cast', one((node) => cast(node, elementType(node.int('to', 0)) ?? oldCastType(node)))],
  ['CastLike', one((node) => cast(node, node.input(1).type))],
  ['QuantizeLinear', one((node) => like(node.input(0), quantizedType(node)))],
  ['DequantizeLinear', one((node) => like(node.input(0), node.input(1).type ?? 'f32'))],
  ['DynamicQuantizeLinear', (node) => [like(node.input(0), 'u8'), sized([], 'f32'), sized([], 'u8')]],
];

function quantizedType(node: NodeView): Tensor['type'] {
  return (node.hasInput(2) ? node.input(2).type : elementType(node.int('output_dtype', 0))) ?? 'u8';
}

/** Version 1 has the type as a name. */
function oldCastType(node: NodeView): Tensor['type'] {
  return (
    ({ FLOAT: 'f32', FLOAT16: 'f16', INT32: 'i32', INT64: 'i64' } as const)[node.text('to') ?? ''] ??
    UNKNOWN.type
  );
}
