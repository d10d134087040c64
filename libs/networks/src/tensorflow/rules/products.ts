import { addConvolution } from '../../layers.js';
import type { NetworkBuilder } from '../../network-builder.js';
import { addEinsum, addMatrixProduct, addUnsized, asMatrix } from '../../products.js';
import { transposedBy } from '../../tensors/move.js';
import { sized, UNKNOWN, type Tensor } from '../../tensors/tensor.js';
import { windowOutput, type Windows } from '../../tensors/windows.js';
import type { NodeView } from '../node-view.js';
import { imageOf, padsOf, shapeOf } from './images.js';

/** Returns the outputs of an operator that multiplies, and adds its layers. */
export type ProductRule = (node: NodeView, builder: NetworkBuilder) => readonly Tensor[];

function windowsOf(node: NodeView, kernel: readonly number[]): Windows {
  const axes = kernel.length;
  return {
    kernel,
    strides: node.spatial('strides', axes),
    dilations: node.spatial('dilations', axes),
    pads: padsOf(node, axes),
  };
}

/**
 * The axes of the filters are the kernel, then input and output channels. In a depthwise convolution they are the
 * kernel, the channels and a multiplier.
 */
const convolution =
  (axes: number, isDepthwise: boolean): ProductRule =>
  (node, builder) => {
    const [x, filter] = [node.input(0), node.input(1)];
    if (x.shape?.length !== axes + 2 || filter.shape?.length !== axes + 2) {
      return [addUnsized(builder, node.op, [x, filter])];
    }
    const [depth = 1, last = 1] = filter.shape.slice(axes);
    const image = imageOf(x.shape, node.isChannelsFirst);
    const { batch, channels, spatial } = image;
    const groups = isDepthwise ? channels : channels / depth;
    if (!Number.isInteger(groups) || (isDepthwise && depth !== channels)) {
      builder.missing(node.op, 'the channels do not fit the kernel');
      return [UNKNOWN];
    }
    const cout = isDepthwise ? channels * last : last;
    const output = addConvolution(builder, {
      ...{ name: node.name, op: node.op, batch, cin: channels, cout, groups, spatial },
      windows: windowsOf(node, filter.shape.slice(0, axes)),
      transposedTo: null,
      type: filter.type ?? x.type,
      layout: node.isChannelsFirst ? 'NCHW' : 'NHWC',
    });
    return [sized(shapeOf({ batch, channels: cout, spatial: output }, node.isChannelsFirst), x.type)];
  };

/**
 * A transposed convolution. Inputs: the sizes of its output, the filters with the output channels first, and the
 * input.
 */
const transposed =
  (axes: number): ProductRule =>
  (node, builder) => {
    const [filter, x] = [node.input(1), node.input(2)];
    if (x.shape?.length !== axes + 2 || filter.shape?.length !== axes + 2) {
      return [addUnsized(builder, node.op, [x, filter])];
    }
    const [cout = 1] = filter.shape.slice(axes);
    const { batch, channels, spatial } = imageOf(x.shape, node.isChannelsFirst);
    const windows = windowsOf(node, filter.shape.slice(0, axes));
    const given = node.numbers(0)?.slice(-axes - 2);
    const ofShape =
      given === undefined
        ? null
        : imageOf(given.length === axes + 2 ? given : [batch, ...given, 1], node.isChannelsFirst);
    const known = ofShape?.spatial ?? sameSize(spatial, windows);
    addConvolution(builder, {
      ...{ name: node.name, op: node.op, batch, cin: channels, cout, groups: 1, spatial, windows },
      // The multiply-adds depend on the points of the input. If the output size is unknown, the smallest one is
      // assumed.
      transposedTo: known ?? spatial.map((size, axis) => (size - 1) * (windows.strides[axis] ?? 1) + 1),
      type: filter.type ?? x.type,
      layout: node.isChannelsFirst ? 'NCHW' : 'NHWC',
    });
    if (known === null) return [UNKNOWN];
    return [sized(shapeOf({ batch, channels: cout, spatial: known }, node.isChannelsFirst), x.type)];
  };

/** Without strides, the output of SAME has the size of the input. Other output sizes are only in the first input. */
function sameSize(spatial: readonly number[], windows: Windows): readonly number[] | null {
  const isPlain = windows.strides.every((stride) => stride === 1) && windows.pads === 'same';
  return isPlain ? windowOutput(spatial, windows) : null;
}

function matMul(node: NodeView, builder: NetworkBuilder): Tensor[] {
  const b = turned(node.input(1), node.is('transpose_b'));
  const isTurned = node.is('transpose_a');
  const a = isTurned ? turned(node.input(0), true) : asMatrix(node.input(0), b.shape?.[0] ?? 0);
  return [addMatrixProduct(builder, { name: node.name, op: node.op, layout: 'NHWC' }, a, b)];
}

/** A product of stacks of matrices. */
function batchMatMul(node: NodeView, builder: NetworkBuilder): Tensor[] {
  const a = turned(node.input(0), node.is('adj_x'));
  const b = turned(node.input(1), node.is('adj_y'));
  return [addMatrixProduct(builder, { name: node.name, op: node.op, layout: 'NHWC' }, a, b)];
}

/** Exchanges the last two axes. */
function turned(x: Tensor, isTurned: boolean): Tensor {
  const rank = x.shape?.length ?? 0;
  if (!isTurned || rank < 2) return x;
  const order = Array.from({ length: rank }, (_, axis) => axis);
  return transposedBy(x, [...order.slice(0, -2), rank - 1, rank - 2]) ?? UNKNOWN;
}

export const PRODUCT_RULES: ReadonlyMap<string, ProductRule> = new Map<string, ProductRule>([
  ...['Conv2D', '_FusedConv2D', 'FusedConv2D'].map((op) => [op, convolution(2, false)] as const),
  ...['DepthwiseConv2dNative', 'FusedDepthwiseConv2dNative', 'DepthwiseConv2d'].map(
    (op) => [op, convolution(2, true)] as const,
  ),
  ['Conv1D', convolution(1, false)],
  ['Conv3D', convolution(3, false)],
  ['Conv2DBackpropInput', transposed(2)],
  ['Conv3DBackpropInputV2', transposed(3)],
  ...['MatMul', '_FusedMatMul'].map((op) => [op, matMul] as const),
  ...['BatchMatMul', 'BatchMatMulV2', 'BatchMatMulV3'].map((op) => [op, batchMatMul] as const),
  [
    'Einsum',
    (node, builder) => {
      const of = { name: node.name, op: node.op, layout: 'NHWC' } as const;
      return [addEinsum(builder, of, node.text('equation') ?? '', node.inputs)];
    },
  ],
]);
