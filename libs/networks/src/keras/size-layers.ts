import { z } from 'zod';
import { broadcast, concatenated, product, reshaped, type Shape } from '../shapes.js';
import { single, type LayerRule } from './layer.js';

const unchanged = single((x) => x);
const merged: LayerRule = ({ inputs }) => [broadcast(inputs)];

const concatenate: LayerRule = ({ config, inputs }) => {
  const { axis } = config;
  return [concatenated(inputs, typeof axis === 'number' ? axis : -1)];
};

const INTEGERS = z.array(z.number());

const reshape = single(([batch = 1, ...rest], { config }) => {
  const target = INTEGERS.safeParse(config['target_shape']);
  const shape = target.success ? reshaped(rest, target.data) : null;
  return shape && [batch, ...shape];
});

const permute = single((x, { config }) => {
  const axes = INTEGERS.safeParse(config['dims']);
  if (!axes.success) return null;
  const sizes = axes.data.map((axis) => x[axis]);
  return sizes.every((size) => size !== undefined) ? [x[0] ?? 1, ...sizes] : null;
});

const flatten = single(([batch = 1, ...rest]) => [batch, product(rest)]);

const repeat = single(([batch = 1, ...rest], { config }): Shape => [batch, Number(config['n']), ...rest]);

/** An embedding: indexes of words become vectors. */
const embedding = single((x, { config }) => [...x, Number(config['output_dim'])]);

const UNCHANGED =
  'Activation ReLU ReLU6 LeakyReLU PReLU ELU ThresholdedReLU Softmax BatchNormalization SyncBatchNormalization ' +
  'BatchNormalizationV1 LayerNormalization RMSNormalization GroupNormalization UnitNormalization Normalization ' +
  'Rescaling Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D GaussianNoise ' +
  'GaussianDropout AlphaDropout InputLayer ActivityRegularization Masking Identity RandomFlip RandomRotation ' +
  'RandomZoom RandomContrast RandomBrightness RandomTranslation Softplus Softsign Tanh Sigmoid Silu Gelu';

export const SIZE_LAYERS: readonly (readonly [string, LayerRule])[] = [
  ...UNCHANGED.split(' ').map((name) => [name, unchanged] as const),
  ...'Add Subtract Multiply Average Maximum Minimum'.split(' ').map((name) => [name, merged] as const),
  ...['Concatenate', 'Merge'].map((name) => [name, concatenate] as const),
  ['Flatten', flatten],
  ['Reshape', reshape],
  ['Permute', permute],
  ['RepeatVector', repeat],
  ['Embedding', embedding],
];

/** Layers that the applications of Keras define. */
export const APPLICATION_LAYERS: ReadonlyMap<string, LayerRule> = new Map([
  ['LayerScale', unchanged],
  ['CustomScaleLayer', merged],
]);

/** Element-by-element functions that version 2 represents as layers. */
const ELEMENTWISE_FUNCTION =
  /(^|\.)(add|sub|subtract|multiply|mul|divide|truediv|maximum|minimum|pow|sqrt|exp|abs|neg|relu6?|sigmoid|tanh|softmax|swish|silu|gelu|clip_by_value|cast|identity|stop_gradient|hard_sigmoid|square|rsqrt)(_v2)?$/;

/** Returns the rule for an element-by-element function; null for other functions. */
export function functionRule(name: string): LayerRule | null {
  return ELEMENTWISE_FUNCTION.test(name) ? merged : null;
}
