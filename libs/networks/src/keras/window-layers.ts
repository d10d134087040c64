import { addConvolution, type ConvolutionLayer } from '../layers.js';
import { product, type Shape } from '../shapes.js';
import { windowOutput, type Windows } from '../tensors/windows.js';
import { eachAxis, SidesSchema, WindowSchema, type Window } from './config.js';
import { imageOf, shapeOf, single, type Image, type LayerCall, type LayerRule } from './layer.js';

function windowsOf(window: Window, axes: number): Windows {
  // "causal" pads only the start of the sequence, so that the length stays the same.
  const isSame = window.padding === 'same' || window.padding === 'causal';
  return {
    kernel: eachAxis(window.kernel_size ?? 1, axes),
    strides: eachAxis(window.strides ?? 1, axes),
    dilations: eachAxis(window.dilation_rate, axes),
    pads: isSame ? 'same' : 'valid',
  };
}

function convolution(
  call: LayerCall,
  image: Image,
  windows: Windows,
  of: Pick<ConvolutionLayer, 'cout' | 'groups'>,
  transposedTo: readonly number[] | null = null,
): Shape {
  const { name, op, type, builder } = call;
  const output = addConvolution(builder, {
    ...{ name, op, type, windows, transposedTo, ...of },
    ...{ batch: image.batch, cin: image.channels, spatial: image.spatial },
    layout: image.isFirst ? 'NCHW' : 'NHWC',
  });
  return shapeOf(image, output, of.cout);
}

const conv = single((x, call) => {
  const window = WindowSchema.parse(call.config);
  const image = imageOf(x, window.data_format);
  const { filters = 1, groups } = window;
  return convolution(call, image, windowsOf(window, image.spatial.length), { cout: filters, groups });
});

const depthwise = single((x, call) => {
  const window = WindowSchema.parse(call.config);
  const image = imageOf(x, window.data_format);
  const { channels } = image;
  const cout = channels * window.depth_multiplier;
  return convolution(call, image, windowsOf(window, image.spatial.length), { cout, groups: channels });
});

/** A depthwise convolution and a 1×1 convolution after it. */
const separable: LayerRule = (call) => {
  const [deep = null] = depthwise(call);
  if (deep === null) return [null];
  const window = WindowSchema.parse(call.config);
  const image = imageOf(deep, window.data_format);
  const point = { ...window, kernel_size: 1, strides: 1, dilation_rate: 1 };
  const windows = windowsOf(point, image.spatial.length);
  return [convolution(call, image, windows, { cout: window.filters ?? 1, groups: 1 })];
};

const transposed = single((x, call) => {
  const window = WindowSchema.parse(call.config);
  const image = imageOf(x, window.data_format);
  const windows = windowsOf(window, image.spatial.length);
  const to = image.spatial.map((size, axis) => transposedLength(size, axis, windows, window));
  return convolution(call, image, windows, { cout: window.filters ?? 1, groups: window.groups }, to);
});

/** The output length as in `compute_conv_transpose_output_length` of Keras. */
function transposedLength(size: number, axis: number, windows: Windows, window: Window): number {
  const stride = windows.strides[axis] ?? 1;
  const kernel = ((windows.kernel[axis] ?? 1) - 1) * (windows.dilations[axis] ?? 1) + 1;
  const isSame = window.padding === 'same';
  if (window.output_padding == null) return size * stride + (isSame ? 0 : Math.max(kernel - stride, 0));
  const extra = eachAxis(window.output_padding, windows.kernel.length)[axis] ?? 0;
  return (size - 1) * stride + kernel - 2 * (isSame ? Math.floor(kernel / 2) : 0) + extra;
}

/** A layer with different weights at each position: the same number of multiply-adds, but not a convolution. */
const locallyConnected = single((x, call) => {
  const window = WindowSchema.parse(call.config);
  const image = imageOf(x, window.data_format);
  const windows = windowsOf(window, image.spatial.length);
  const [output, filters] = [windowOutput(image.spatial, windows), window.filters ?? 1];
  const macs = image.batch * product(output) * product(windows.kernel) * image.channels * filters;
  call.builder.missing(call.op, 'different weights at each position', macs);
  return shapeOf(image, output, filters);
});

/** One convolution of the input for all steps, and one convolution of the state per step. */
const convolutionalLstm = single((x, call) => {
  const window = WindowSchema.parse(call.config);
  const { filters = 1 } = window;
  const [batch = 0, steps = 0, ...rest] = x;
  const all = imageOf([batch * steps, ...rest], window.data_format);
  const windows = windowsOf(window, all.spatial.length);
  const gates = convolution({ ...call, name: `${call.name} (input)` }, all, windows, {
    cout: 4 * filters,
    groups: 1,
  });
  const { spatial } = imageOf(gates, window.data_format);
  const state: Image = { ...all, batch, spatial, channels: filters };
  const ones = spatial.map(() => 1);
  const again: Windows = { kernel: windows.kernel, strides: ones, dilations: ones, pads: 'same' };
  for (let step = 1; step <= steps; step++) {
    call.builder.visit();
    convolution({ ...call, name: `${call.name} (step ${step})` }, state, again, {
      cout: 4 * filters,
      groups: 1,
    });
  }
  const last = shapeOf(state, spatial, filters);
  return call.config['return_sequences'] === true ? [batch, steps, ...last.slice(1)] : last;
});

const pool = single((x, { config }) => {
  const { pool_size = 2, strides, padding, data_format } = WindowSchema.parse(config);
  const image = imageOf(x, data_format);
  const axes = image.spatial.length;
  const windows: Windows = {
    kernel: eachAxis(pool_size, axes),
    strides: eachAxis(strides ?? pool_size, axes),
    dilations: eachAxis(1, axes),
    pads: padding === 'same' ? 'same' : 'valid',
  };
  return shapeOf(image, windowOutput(image.spatial, windows), image.channels);
});

const globalPool = single((x, { config }) => {
  const image = imageOf(x, config['data_format']);
  const ones = image.spatial.map(() => 1);
  return config['keepdims'] === true ? shapeOf(image, ones, image.channels) : [image.batch, image.channels];
});

const adaptivePool = single((x, { config }) => {
  const image = imageOf(x, config['data_format']);
  const size = WindowSchema.shape.pool_size.safeParse(config['output_size']).data;
  return size === undefined ? null : shapeOf(image, eachAxis(size, image.spatial.length), image.channels);
});

const sides = single((x, { config }) => {
  const { padding, cropping, data_format } = SidesSchema.parse(config);
  const image = imageOf(x, data_format);
  const given = padding ?? cropping ?? 1;
  const isSequence = image.spatial.length === 1;
  const sign = cropping === undefined ? 1 : -1;
  return shapeOf(
    image,
    image.spatial.map((size, axis) => {
      // For a sequence, a pair is the padding before and after.
      const side = typeof given === 'number' ? given : isSequence ? given.flat() : (given[axis] ?? 0);
      const both = typeof side === 'number' ? 2 * side : side.reduce((sum, rows) => sum + rows, 0);
      return Math.max(0, size + sign * both);
    }),
    image.channels,
  );
});

const upSampling = single((x, { config }) => {
  const image = imageOf(x, config['data_format']);
  const times = eachAxis(WindowSchema.shape.pool_size.parse(config['size']) ?? 2, image.spatial.length);
  return shapeOf(
    image,
    image.spatial.map((size, axis) => size * (times[axis] ?? 1)),
    image.channels,
  );
});

const resizing = single((x, { config }) => {
  const image = imageOf(x, config['data_format']);
  const [height, width] = [Number(config['height']), Number(config['width'])];
  return height > 0 && width > 0 ? shapeOf(image, [height, width], image.channels) : null;
});

const named = (names: string, rule: LayerRule) => names.split(' ').map((name) => [name, rule] as const);

export const CONVOLUTION_LAYERS: readonly (readonly [string, LayerRule])[] = [
  ...named('Conv1D Conv2D Conv3D Convolution1D Convolution2D Convolution3D', conv),
  ...named('DepthwiseConv1D DepthwiseConv2D', depthwise),
  ...named('SeparableConv1D SeparableConv2D SeparableConvolution2D', separable),
  ...named('Conv1DTranspose Conv2DTranspose Conv3DTranspose Convolution2DTranspose', transposed),
  ...named('LocallyConnected1D LocallyConnected2D', locallyConnected),
  ...named('ConvLSTM1D ConvLSTM2D ConvLSTM3D', convolutionalLstm),
];

export const WINDOW_LAYERS: readonly (readonly [string, LayerRule])[] = [
  ...named('MaxPooling1D MaxPooling2D MaxPooling3D AveragePooling1D AveragePooling2D AveragePooling3D', pool),
  ...named('GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D', globalPool),
  ...named('GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D', globalPool),
  ...named('AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D', adaptivePool),
  ...named('AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D', adaptivePool),
  ...named('ZeroPadding1D ZeroPadding2D ZeroPadding3D Cropping1D Cropping2D Cropping3D', sides),
  ...named('UpSampling1D UpSampling2D UpSampling3D', upSampling),
  ...named('Resizing CenterCrop RandomCrop', resizing),
];
