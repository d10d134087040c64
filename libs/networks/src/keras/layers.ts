import {
  convolution,
  dense,
  outputAlong,
  outputPair,
  transposedConvolution,
  transposedOutput,
  type Costable,
  type ConvGeometry,
  type Pair,
} from '../geometry.js';
import { broadcast, concatenated, product, reshaped, type Shape } from '../shapes.js';
import { SidesSchema, WindowSchema, type KerasObject, type Window } from './config.js';

/** What an application of a layer gives: its output, and what of it has a cost. */
export interface Applied {
  /** null: not known. */
  readonly shape: Shape | null;
  readonly costs: readonly Costable[];
}

type Layer = (config: KerasObject['config'], inputs: readonly Shape[]) => Applied;

const DTYPE = 'f32';

/** One layer applied to inputs of known size; null when the class is not known. */
export function applied({ class_name, config }: KerasObject, inputs: readonly Shape[]): Applied | null {
  const layer = LAYERS.get(class_name);
  return layer === undefined ? null : layer(config, inputs);
}

const nothing = (shape: Shape | null): Applied => ({ shape, costs: [] });
const unchanged: Layer = (_, [x]) => nothing(x ?? null);
const merged: Layer = (_, inputs) => nothing(broadcast(inputs));

const LAYERS: ReadonlyMap<string, Layer> = new Map<string, Layer>([
  ...[
    ...[
      'Activation',
      'ReLU',
      'LeakyReLU',
      'PReLU',
      'ELU',
      'ThresholdedReLU',
      'Softmax',
      'BatchNormalization',
    ],
    ...[
      'LayerNormalization',
      'GroupNormalization',
      'UnitNormalization',
      'Normalization',
      'Rescaling',
      'Dropout',
    ],
    ...[
      'SpatialDropout1D',
      'SpatialDropout2D',
      'GaussianNoise',
      'GaussianDropout',
      'AlphaDropout',
      'InputLayer',
    ],
    ...['ActivityRegularization', 'SyncBatchNormalization', 'BatchNormalizationV1', 'ReLU6'],
  ].map((name) => [name, unchanged] as const),
  ...['Add', 'Subtract', 'Multiply', 'Average', 'Maximum', 'Minimum'].map((name) => [name, merged] as const),
  ['Concatenate', ({ axis }, inputs) => nothing(concatenated(inputs, typeof axis === 'number' ? axis : -1))],
  ['Conv2D', conv],
  ['Convolution2D', conv],
  ['Conv1D', conv],
  ['DepthwiseConv2D', depthwise],
  ['DepthwiseConv1D', depthwise],
  ['SeparableConv2D', separable],
  ['SeparableConv1D', separable],
  ['Conv2DTranspose', transposed],
  ['Conv1DTranspose', transposed],
  ['Dense', fullyConnected],
  ...['MaxPooling2D', 'AveragePooling2D', 'MaxPooling1D', 'AveragePooling1D'].map(
    (name) => [name, pooled] as const,
  ),
  ...['GlobalAveragePooling2D', 'GlobalMaxPooling2D', 'GlobalAveragePooling1D', 'GlobalMaxPooling1D'].map(
    (name) => [name, pooledWhole] as const,
  ),
  ['Flatten', (_, [x = []]) => nothing([x[0] ?? 1, product(x.slice(1))])],
  ['Reshape', (config, [x = []]) => nothing(reshapedTo(config['target_shape'], x))],
  ['Permute', (config, [x = []]) => nothing(permuted(config['dims'], x))],
  ['ZeroPadding2D', padded],
  ['ZeroPadding1D', padded],
  ['Cropping2D', padded],
  ['UpSampling2D', upSampled],
]);

/** An image or a sequence, whatever order its axes are in. */
interface Image {
  readonly batch: number;
  readonly channels: number;
  readonly size: Pair;
  readonly isFirst: boolean;
  readonly isSequence: boolean;
}

function imageOf([batch = 1, ...rest]: Shape, dataFormat: unknown): Image {
  const isFirst = dataFormat === 'channels_first';
  const channels = (isFirst ? rest[0] : rest.at(-1)) ?? 1;
  const [first = 1, second] = isFirst ? rest.slice(1) : rest.slice(0, -1);
  return {
    ...{ batch, channels, isFirst, isSequence: second === undefined },
    size: second === undefined ? [1, first] : [first, second],
  };
}

function shapeOf({ batch, isFirst, isSequence }: Image, [height, width]: Pair, channels: number): Shape {
  const size = isSequence ? [width] : [height, width];
  return isFirst ? [batch, channels, ...size] : [batch, ...size, channels];
}

/** Sequences have one row: nothing moves along it. */
function alongRow(image: Image, [first, second]: Pair): Pair {
  return image.isSequence ? [1, second] : [first, second];
}

function geometryOf(image: Image, window: Window, cout: number, groups: number): ConvGeometry {
  const { kernel_size, strides, dilation_rate, padding } = window;
  const { batch, channels, size, isFirst } = image;
  const kernel = alongRow(image, kernel_size ?? [1, 1]);
  // “causal” pads before the sequence only, by as much as keeps its length.
  const isSame = padding === 'same' || padding === 'causal';
  return {
    ...{ batch, cin: channels, cout, input: size, kernel, groups, dtype: DTYPE },
    strides: alongRow(image, strides ?? [1, 1]),
    dilations: alongRow(image, dilation_rate),
    pads: isSame ? 'same' : 'valid',
    layout: isFirst ? 'NCHW' : 'NHWC',
  };
}

function conv(config: KerasObject['config'], [x = []]: readonly Shape[]): Applied {
  const window = WindowSchema.parse(config);
  const image = imageOf(x, window.data_format);
  const geometry = geometryOf(image, window, window.filters ?? 1, window.groups);
  return { shape: shapeOf(image, outputPair(geometry), geometry.cout), costs: [convolution(geometry)] };
}

function depthwise(config: KerasObject['config'], [x = []]: readonly Shape[]): Applied {
  const window = WindowSchema.parse(config);
  const image = imageOf(x, window.data_format);
  const { channels } = image;
  const geometry = geometryOf(image, window, channels * window.depth_multiplier, channels);
  return { shape: shapeOf(image, outputPair(geometry), geometry.cout), costs: [convolution(geometry)] };
}

/** A depthwise convolution and a 1×1 convolution after it. */
function separable(config: KerasObject['config'], [x = []]: readonly Shape[]): Applied {
  const window = WindowSchema.parse(config);
  const deep = depthwise(config, [x]);
  if (deep.shape === null) return deep;
  const point = {
    ...window,
    kernel_size: [1, 1] as [number, number],
    strides: null,
    dilation_rate: [1, 1] as [number, number],
  };
  const image = imageOf(deep.shape, window.data_format);
  const geometry = geometryOf(image, point, window.filters ?? 1, 1);
  return {
    shape: shapeOf(image, image.size, geometry.cout),
    costs: [...deep.costs, convolution(geometry)],
  };
}

function transposed(config: KerasObject['config'], [x = []]: readonly Shape[]): Applied {
  const window = WindowSchema.parse(config);
  const image = imageOf(x, window.data_format);
  const geometry = geometryOf(image, window, window.filters ?? 1, window.groups);
  const output = alongRow(image, transposedOutput(geometry));
  return {
    shape: shapeOf(image, output, geometry.cout),
    costs: [transposedConvolution(geometry, output)],
  };
}

/** Applied to the last axis of whatever comes in. */
function fullyConnected(config: KerasObject['config'], [x = []]: readonly Shape[]): Applied {
  const units = Number(config['units']);
  const before = x.slice(0, -1);
  return {
    shape: [...before, units],
    costs: [dense(product(before), x.at(-1) ?? 0, units, DTYPE, 'NHWC')],
  };
}

function pooled(config: KerasObject['config'], [x = []]: readonly Shape[]): Applied {
  const { pool_size = [2, 2], strides, padding, data_format } = WindowSchema.parse(config);
  const image = imageOf(x, data_format);
  const size = alongRow(image, pool_size);
  const steps = alongRow(image, strides ?? pool_size);
  const pads = padding === 'same' ? 'same' : 'valid';
  const along = (axis: 0 | 1) => outputAlong(image.size[axis], size[axis], steps[axis], 1, pads, axis);
  return nothing(shapeOf(image, [along(0), along(1)], image.channels));
}

function pooledWhole(config: KerasObject['config'], [x = []]: readonly Shape[]): Applied {
  const image = imageOf(x, config['data_format']);
  const keeps = config['keepdims'] === true;
  return nothing(keeps ? shapeOf(image, [1, 1], image.channels) : [image.batch, image.channels]);
}

function padded(config: KerasObject['config'], [x = []]: readonly Shape[]): Applied {
  const { padding, cropping, data_format } = SidesSchema.parse(config);
  const image = imageOf(x, data_format);
  const axes = (padding ?? cropping ?? []).map((side) => side.reduce((sum, rows) => sum + rows, 0));
  const [first = 2, second = 2] = axes;
  const [rows, columns] = image.isSequence ? [0, first] : [first, second];
  const sign = cropping === undefined ? 1 : -1;
  const [height, width] = image.size;
  return nothing(shapeOf(image, [height + sign * rows, width + sign * columns], image.channels));
}

function upSampled(config: KerasObject['config'], [x = []]: readonly Shape[]): Applied {
  const times = WindowSchema.shape.kernel_size.parse(config['size']) ?? [2, 2];
  const image = imageOf(x, config['data_format']);
  const [height, width] = image.size;
  return nothing(shapeOf(image, [height * times[0], width * times[1]], image.channels));
}

function reshapedTo(target: unknown, x: Shape): Shape | null {
  if (!Array.isArray(target)) return null;
  const [batch = 1, ...rest] = x;
  const shape = reshaped(rest, target.map(Number));
  return shape && [batch, ...shape];
}

function permuted(dims: unknown, x: Shape): Shape | null {
  if (!Array.isArray(dims)) return null;
  const sizes = dims.map((axis) => x[Number(axis)]);
  return sizes.every((size) => size !== undefined) ? [x[0] ?? 1, ...sizes] : null;
}
