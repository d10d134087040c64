import { product, type Shape } from '../../shapes.js';
import { sized, type Tensor } from '../../tensors/tensor.js';
import { windowOutput, type Windows } from '../../tensors/windows.js';
import type { NodeView } from '../node-view.js';
import { each, one, type Rule } from './rule.js';

/** A tensor of images or volumes, independent of the order of its axes. */
export interface Image {
  readonly batch: number;
  readonly channels: number;
  readonly spatial: readonly number[];
}

export function imageOf([batch = 1, ...rest]: Shape, isChannelsFirst: boolean): Image {
  return isChannelsFirst
    ? { batch, channels: rest[0] ?? 1, spatial: rest.slice(1) }
    : { batch, channels: rest.at(-1) ?? 1, spatial: rest.slice(0, -1) };
}

export function shapeOf({ batch, channels, spatial }: Image, isChannelsFirst: boolean): Shape {
  return isChannelsFirst ? [batch, channels, ...spatial] : [batch, ...spatial, channels];
}

/** SAME and VALID are rules; explicit padding has a pair for each axis. */
export function padsOf(node: NodeView, axes: number): Windows['pads'] {
  const word = node.text('padding');
  if (word === 'SAME') return 'same';
  const given = node.ints('explicit_paddings');
  if (word !== 'EXPLICIT') return 'valid';
  const at = node.isChannelsFirst ? 4 : 2;
  const side = (which: 0 | 1) => Array.from({ length: axes }, (_, axis) => given[at + 2 * axis + which] ?? 0);
  return { before: side(0), after: side(1) };
}

function pool(node: NodeView): Tensor[] {
  const x = node.input(0);
  if (x.shape === null || x.shape.length < 3) return [];
  const image = imageOf(x.shape, node.isChannelsFirst);
  const axes = image.spatial.length;
  const windows: Windows = {
    kernel: node.spatial('ksize', axes),
    strides: node.spatial('strides', axes),
    dilations: image.spatial.map(() => 1),
    pads: padsOf(node, axes),
  };
  const shape = shapeOf({ ...image, spatial: windowOutput(image.spatial, windows) }, node.isChannelsFirst);
  return [sized(shape, x.type), sized(shape, 'i64')];
}

function depthToSpace(node: NodeView): Tensor | null {
  const x = node.input(0);
  if (x.shape?.length !== 4) return null;
  const block = node.int('block_size', 1);
  const { batch, channels, spatial } = imageOf(x.shape, node.isChannelsFirst);
  const isDepth = node.op === 'DepthToSpace';
  const times = isDepth ? block : 1 / block;
  const image = { batch, channels: channels / times ** 2, spatial: spatial.map((size) => size * times) };
  return sized(shapeOf(image, node.isChannelsFirst), x.type);
}

/** Blocks of an image become separate images, which turns a plain convolution into a dilated one. */
function spaceToBatch(node: NodeView): Tensor | null {
  const [x, block, pads] = [node.input(0), node.numbers(1), node.numbers(2)];
  if (x.shape === null || block === null || pads === null) return null;
  const [batch = 0, ...rest] = x.shape;
  const sizes = rest.map((size, axis) => {
    const step = block[axis];
    return step === undefined ? size : (size + (pads[2 * axis] ?? 0) + (pads[2 * axis + 1] ?? 0)) / step;
  });
  return sized([batch * product(block), ...sizes], x.type);
}

function batchToSpace(node: NodeView): Tensor | null {
  const [x, block, crops] = [node.input(0), node.numbers(1), node.numbers(2)];
  if (x.shape === null || block === null || crops === null) return null;
  const [batch = 0, ...rest] = x.shape;
  const sizes = rest.map((size, axis) => {
    const step = block[axis];
    return step === undefined ? size : size * step - (crops[2 * axis] ?? 0) - (crops[2 * axis + 1] ?? 0);
  });
  return sized([batch / product(block), ...sizes], x.type);
}

function resized(node: NodeView): Tensor | null {
  const [x, size] = [node.input(0), node.numbers(1)];
  if (x.shape?.length !== 4 || size?.length !== 2) return null;
  return sized([x.shape[0] ?? 0, ...size, x.shape[3] ?? 0], 'f32');
}

function cropAndResize(node: NodeView): Tensor | null {
  const [x, boxes, size] = [node.input(0), node.input(1), node.numbers(3)];
  if (x.shape === null || boxes.shape === null || size === null) return null;
  return sized([boxes.shape[0] ?? 0, ...size, x.shape[3] ?? 0], 'f32');
}

function transformed(node: NodeView): Tensor | null {
  const [x, size] = [node.input(0), node.numbers(2)];
  if (x.shape === null || size === null) return null;
  return sized([x.shape[0] ?? 0, ...size, x.shape[3] ?? 0], x.type);
}

export const IMAGE_RULES: readonly (readonly [string, Rule])[] = [
  ...each('MaxPool AvgPool MaxPoolWithArgmax MaxPool3D AvgPool3D', pool),
  ...each('DepthToSpace SpaceToDepth', one(depthToSpace)),
  ['SpaceToBatchND', one(spaceToBatch)],
  ['BatchToSpaceND', one(batchToSpace)],
  ...each('ResizeBilinear ResizeNearestNeighbor ResizeBicubic ResizeArea', one(resized)),
  ['CropAndResize', one(cropAndResize)],
  ['ImageProjectiveTransformV3', one(transformed)],
];
