import type { Shape } from '../../shapes.js';
import { sized, UNKNOWN, type Tensor } from '../../tensors/tensor.js';
import { windowOutput } from '../../tensors/windows.js';
import type { NodeView } from '../node-view.js';
import { each, one, type Rule } from './rule.js';

function pool(node: NodeView): Tensor[] {
  const x = node.input(0);
  const kernel = node.ints('kernel_shape');
  if (x.shape === null || kernel === null) return [];
  const [batch = 0, channels = 0, ...spatial] = x.shape;
  const sizes = windowOutput(spatial, node.windows(kernel), node.int('ceil_mode', 0) === 1);
  const shape = [batch, channels, ...sizes];
  return [sized(shape, x.type), sized(shape, 'i64')];
}

function globalPool(node: NodeView): Tensor {
  const x = node.input(0);
  return sized(x.shape?.map((size, axis) => (axis < 2 ? size : 1)) ?? null, x.type);
}

/** MaxUnpool. Its output has the size of the input of the reversed pooling, or the size that the file records. */
function unpool(node: NodeView): Tensor | null {
  const x = node.input(0);
  const given = node.input(2).numbers;
  const kernel = node.ints('kernel_shape');
  if (node.hasInput(2)) return given && sized(given, x.type);
  if (x.shape === null || kernel === null) return null;
  const { strides, pads } = node.windows(kernel);
  const [batch = 0, channels = 0, ...spatial] = x.shape;
  const sizes = spatial.map((size, axis) => {
    const zeros = typeof pads === 'string' ? 0 : (pads.before[axis] ?? 0) + (pads.after[axis] ?? 0);
    return (size - 1) * (strides[axis] ?? 1) + (kernel[axis] ?? 1) - zeros;
  });
  return sized([batch, channels, ...sizes], x.type);
}

/** Versions 10 to 19: scales or sizes, of all axes or of the named axes. */
function resize(node: NodeView): Tensor | null {
  const isFirstVersion = node.inputCount === 2;
  return scaled(node, isFirstVersion ? node.input(1).numbers : node.input(2).numbers, node.input(3).numbers);
}

/** Versions 1 (two numbers), 7 (an attribute) and 9 (an input). */
function upsample(node: NodeView): Tensor | null {
  const ofImage = [1, 1, node.float('height_scale', 1), node.float('width_scale', 1)];
  const scales = node.has('height_scale') ? ofImage : (node.floats('scales') ?? node.input(1).numbers);
  return scaled(node, scales, null);
}

function scaled(node: NodeView, scales: Shape | null, sizes: Shape | null): Tensor | null {
  const x = node.input(0);
  if (x.shape === null) return null;
  const rank = x.shape.length;
  const axes = node.axes(
    rank,
    -1,
    x.shape.map((_, axis) => axis),
  );
  if (axes === null) return null;
  const shape = [...x.shape];
  if (sizes !== null && sizes.length === axes.length) {
    const ratios = axes.map((axis, at) => (sizes[at] ?? 0) / (x.shape?.[axis] ?? 1));
    const policy = node.text('keep_aspect_ratio_policy') ?? 'stretch';
    const common = policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios);
    axes.forEach((axis, at) => {
      const kept = Math.round(common * (x.shape?.[axis] ?? 0));
      shape[axis] = policy === 'stretch' ? (sizes[at] ?? NaN) : kept;
    });
    return sized(shape, x.type);
  }
  if (scales?.length !== axes.length) return null;
  axes.forEach((axis, at) => {
    // Scales have the type f32, and runtimes multiply in f32, where 5 × 2.6 is 13.
    shape[axis] = Math.floor(Math.fround((x.shape?.[axis] ?? 0) * (scales[at] ?? 1)));
  });
  return sized(shape, x.type);
}

function regionPool(node: NodeView): Tensor {
  const [x, regions] = [node.input(0), node.input(1)];
  const [rows = 1, columns = 1] = node.ints('pooled_shape') ?? [];
  const size = [node.int('output_height', rows), node.int('output_width', columns)];
  if (x.shape === null || regions.shape === null) return UNKNOWN;
  return sized([regions.shape[0] ?? 0, x.shape[1] ?? 0, ...size], x.type);
}

function gridSample(node: NodeView): Tensor {
  const [x, grid] = [node.input(0), node.input(1)];
  if (x.shape === null || grid.shape === null) return UNKNOWN;
  return sized([x.shape[0] ?? 0, x.shape[1] ?? 0, ...grid.shape.slice(1, -1)], x.type);
}

function affineGrid(node: NodeView): Tensor | null {
  const size = node.input(1).numbers;
  if (size === null) return null;
  const [batch = 0, , ...spatial] = size;
  return sized([batch, ...spatial, spatial.length], node.input(0).type);
}

function columnsToImage(node: NodeView): Tensor | null {
  const x = node.input(0);
  const [image, block] = [node.input(1).numbers, node.input(2).numbers];
  if (x.shape === null || image === null || block === null) return null;
  const [batch = 0, depth = 0] = x.shape;
  return sized([batch, depth / block.reduce((all, size) => all * size, 1), ...image], x.type);
}

export const WINDOW_RULES: readonly (readonly [string, Rule])[] = [
  ...each('MaxPool AveragePool LpPool', pool),
  ...each('GlobalAveragePool GlobalMaxPool GlobalLpPool', one(globalPool)),
  ['MaxUnpool', one(unpool)],
  ['Resize', one(resize)],
  ['Upsample', one(upsample)],
  ...each('RoiAlign MaxRoiPool', one(regionPool)),
  ['GridSample', one(gridSample)],
  ['AffineGrid', one(affineGrid)],
  ['Col2Im', one(columnsToImage)],
];
