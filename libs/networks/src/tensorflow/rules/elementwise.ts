import {
  ARITHMETIC,
  CHOOSE,
  computed,
  DIVIDE,
  elementwise,
  FOLDS,
  LOGIC,
  reducedAlong,
  type Compute,
  type Fold,
} from '../../tensors/compute.js';
import { axisOf } from '../../tensors/move.js';
import { asType, sized, type Tensor } from '../../tensors/tensor.js';
import type { NodeView } from '../node-view.js';
import { each, one, type Rule } from './rule.js';

const sameSize = one((node) => ({ ...node.input(0), numbers: null }));
const unary = (compute: Compute): Rule =>
  one((node) => computed([node.input(0)], node.input(0).shape, compute, node.input(0).type));
const binary = (compute: Compute | null): Rule =>
  one((node) => elementwise([node.input(0), node.input(1)], compute));
const logic = (compute: Compute): Rule =>
  one((node) => elementwise([node.input(0), node.input(1)], compute, 'bool'));

const reduce = (fold: Fold | null): Rule =>
  one((node) => {
    const [x, axes] = [node.input(0), node.numbers(1)];
    if (x.shape === null || axes === null) return null;
    const rank = x.shape.length;
    const keeps = node.is('keep_dims') || node.is('keepDims');
    return reducedAlong(
      x,
      axes.map((axis) => axisOf(axis, rank)),
      keeps,
      fold,
    );
  });

function argument(node: NodeView): Tensor | null {
  const x = node.input(0);
  const axis = node.numbers(1)?.[0];
  if (x.shape === null || axis === undefined) return null;
  return { ...reducedAlong(x, [axisOf(axis, x.shape.length)], false, null), type: 'i64' };
}

function cast(node: NodeView): Tensor {
  const x = node.input(0);
  const type = node.type('DstT');
  return { ...x, type, numbers: x.numbers?.map((value) => asType(value, type)) ?? null };
}

/** The statistics have one number per channel, like the scale. */
function batchNormalized(node: NodeView): Tensor[] {
  const channels = sized(node.input(1).shape, 'f32');
  return [{ ...node.input(0), numbers: null }, channels, channels, channels, channels, channels];
}

export const ELEMENTWISE_RULES: readonly (readonly [string, Rule])[] = [
  ...each(
    'Relu Relu6 Elu Selu LeakyRelu Sigmoid Tanh Softplus Softsign Softmax LogSoftmax Expm1 Log1p Rsqrt Erf Erfc Sin Cos Tan ' +
      'Asin Acos Atan Sinh Cosh Asinh Acosh Atanh ClipByValue Cumsum Cumprod LRN Prelu CheckNumerics PreventGradient ' +
      'BiasAdd BiasAddV1 ZerosLike OnesLike ReverseV2 Reverse FakeQuantWithMinMaxVars FakeQuantWithMinMaxArgs ' +
      'FakeQuantWithMinMaxVarsPerChannel InvertPermutation Digamma Lgamma Complex Real Imag TensorScatterUpdate ' +
      'AdjustContrast AdjustContrastv2 AdjustHue AdjustSaturation RGBToHSV HSVToRGB',
    sameSize,
  ),
  ...each('FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 _FusedBatchNormEx', batchNormalized),
  ...each(
    'Identity StopGradient Snapshot PlaceholderWithDefault',
    one((node) => node.input(0)),
  ),
  ['IdentityN', (node) => node.inputs],
  ['Abs', unary(ARITHMETIC.absolute)],
  ['Ceil', unary(ARITHMETIC.ceil)],
  ['Exp', unary(ARITHMETIC.exponential)],
  ['Floor', unary(ARITHMETIC.floor)],
  ['Log', unary(ARITHMETIC.logarithm)],
  ['Neg', unary(ARITHMETIC.negate)],
  ...each('Reciprocal Inv', unary(ARITHMETIC.reciprocal)),
  ...each('Round Rint', unary(ARITHMETIC.round)),
  ['Sign', unary(ARITHMETIC.sign)],
  ['Sqrt', unary(ARITHMETIC.squareRoot)],
  ['Square', unary(([a = NaN]) => a * a)],
  ['LogicalNot', one((node) => computed([node.input(0)], node.input(0).shape, LOGIC.not, 'bool'))],
  ...each(
    'IsNan IsInf IsFinite',
    one((node) => ({ ...node.input(0), numbers: null, type: 'bool' })),
  ),
  ...each('Add AddV2', binary(ARITHMETIC.add)),
  ['Sub', binary(ARITHMETIC.subtract)],
  ['Mul', binary(ARITHMETIC.multiply)],
  ...each('RealDiv Div DivNoNan', binary(DIVIDE)),
  ['FloorDiv', binary(ARITHMETIC.floorDivide)],
  ['FloorMod', binary(ARITHMETIC.floorMod)],
  ['Mod', binary(ARITHMETIC.truncatedMod)],
  ['Maximum', binary(ARITHMETIC.maximum)],
  ['Minimum', binary(ARITHMETIC.minimum)],
  ['Pow', binary(ARITHMETIC.power)],
  ...each('SquaredDifference Atan2 BitwiseAnd BitwiseOr BitwiseXor Xdivy Xlogy', binary(null)),
  ...each(
    'AddN',
    one((node) => elementwise(node.inputs, ARITHMETIC.add)),
  ),
  ['Equal', logic(LOGIC.equal)],
  ['NotEqual', logic(LOGIC.notEqual)],
  ['Greater', logic(LOGIC.greater)],
  ['GreaterEqual', logic(LOGIC.greaterOrEqual)],
  ['Less', logic(LOGIC.less)],
  ['LessEqual', logic(LOGIC.lessOrEqual)],
  ['LogicalAnd', logic(LOGIC.and)],
  ['LogicalOr', logic(LOGIC.or)],
  ['SelectV2', one((node) => elementwise(node.inputs, CHOOSE, node.input(1).type))],
  // The condition may have only the first axis.
  ['Select', one((node) => ({ ...node.input(1), numbers: null }))],
  ['Cast', one(cast)],
  ['Sum', reduce(FOLDS.sum)],
  ['Mean', reduce(FOLDS.mean)],
  ['Max', reduce(FOLDS.maximum)],
  ['Min', reduce(FOLDS.minimum)],
  ['Prod', reduce(FOLDS.product)],
  ['All', reduce(FOLDS.all)],
  ['Any', reduce(FOLDS.any)],
  ['EuclideanNorm', reduce(null)],
  ...each('ArgMax ArgMin', one(argument)),
];
