import {
  convolution,
  dense,
  outputAlong,
  outputPair,
  type ConvGeometry,
  type Costable,
  type Pads,
  type Pair,
} from '../geometry.js';
import { NetworkBuilder } from '../network-builder.js';
import { checkAxes, NetworkError, type Network, type ReadOptions } from '../network.js';
import { broadcast, product, type Shape } from '../shapes.js';
import { dims, GraphModelSchema, type GraphNode } from './graph.js';

const BOOKKEEPING = new Set(['Const', 'Placeholder', 'Identity', 'NoOp', 'Shape', 'Pack', 'StridedSlice']);

/**
 * The layers of a TensorFlow.js graph model. Its `model.json` has the shapes of all weights but not the values of small
 * constants (paddings, the shape of a Reshape), which are in the weight files: a size that depends on one is not known. A
 * dense layer behind such an operator takes one vector an image.
 *
 * @throws NetworkError `malformed`, `unknown-size`.
 */
export function readGraph(json: unknown, options: ReadOptions = {}): Network {
  const parsed = GraphModelSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue?.path.join('.') ?? '';
    throw new NetworkError('malformed', `This is no graph model: ${where}: ${issue?.message ?? ''}.`);
  }
  const nodes = inOrder(parsed.data.modelTopology.node);
  const layers = new NetworkBuilder();
  const shapes = new Map<string, Shape | null>();
  let isFirst = true;
  for (const node of nodes) {
    layers.visit();
    if (node.op === 'Placeholder') {
      const shape: Shape = isFirst ? placeholder(node, options) : [];
      if (isFirst) layers.batch = shape[0] ?? null;
      shapes.set(node.name, shape);
      isFirst = false;
      continue;
    }
    const inputs = dataInputs(node).map((name) => shapes.get(name) ?? null);
    shapes.set(node.name, new Operator(node, inputs, layers).output());
  }
  return layers.build('tfjs-graph', null);
}

/** Inputs that carry data, without the number of the output that they are. */
function dataInputs({ input }: GraphNode): string[] {
  return input.filter((name) => !name.startsWith('^')).map((name) => name.replace(/:\d+$/, ''));
}

/** Each node after those that it reads from; the file need not have them so. */
function inOrder(nodes: readonly GraphNode[]): GraphNode[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const waiting = new Map<string, number>();
  const readers = new Map<string, GraphNode[]>();
  for (const node of nodes) {
    const sources = [...new Set(dataInputs(node))].filter((name) => byName.has(name));
    waiting.set(node.name, sources.length);
    for (const name of sources) {
      const known = readers.get(name);
      if (known === undefined) readers.set(name, [node]);
      else known.push(node);
    }
  }
  const ready = nodes.filter(({ name }) => waiting.get(name) === 0);
  for (let at = 0; at < ready.length; at++) {
    for (const reader of readers.get(ready[at]?.name ?? '') ?? []) {
      const left = (waiting.get(reader.name) ?? 0) - 1;
      waiting.set(reader.name, left);
      if (left === 0) ready.push(reader);
    }
  }
  if (ready.length !== nodes.length) {
    throw new NetworkError('malformed', 'This graph has a loop, or two operators of one name.');
  }
  return ready;
}

function placeholder(node: GraphNode, { batch = 1, inputShape }: ReadOptions): Shape {
  const described = dims(node.attr['shape']?.shape) ?? [];
  if (inputShape !== undefined) {
    checkAxes(inputShape, described, node.name);
    return inputShape;
  }
  const shape = described.map((size, axis) => (size < 1 && axis === 0 ? batch : size));
  if (shape.length > 0 && shape.every((size) => size >= 1)) return shape;
  const shown = described.map((size) => (size < 1 ? '?' : size)).join('x') || 'unknown';
  throw new NetworkError(
    'unknown-size',
    `The file leaves the size of its input "${node.name}" open (${shown}). Give it, for example 1x224x224x3.`,
  );
}

class Operator {
  constructor(
    private readonly node: GraphNode,
    private readonly inputs: readonly (Shape | null)[],
    private readonly layers: NetworkBuilder,
  ) {}

  output(): Shape | null {
    const { op } = this.node;
    const [x = null] = this.inputs;
    switch (op) {
      case 'Conv2D':
      case '_FusedConv2D':
        return this.convolution(false);
      case 'DepthwiseConv2dNative':
      case 'FusedDepthwiseConv2dNative':
        return this.convolution(true);
      case 'MatMul':
      case '_FusedMatMul':
        return this.dense();
      default:
        if (!BOOKKEEPING.has(op))
          this.layers.notCosted(op, /Conv|MatMul/.test(op) ? 'a kind of its own' : null);
    }
    switch (op) {
      case 'Const':
        return dims(this.node.attr['value']?.tensor?.tensorShape);
      case 'MaxPool':
      case 'AvgPool':
        return this.pool();
      case 'Add':
      case 'AddV2':
      case 'Sub':
      case 'Mul':
      case 'RealDiv':
      case 'Maximum':
      case 'Minimum':
        return broadcast(this.inputs);
      case 'Reshape':
      case 'Pad':
      case 'PadV2':
      case 'MirrorPad':
      case 'ConcatV2':
      case 'Mean':
      case 'Max':
      case 'ResizeBilinear':
      case 'ResizeNearestNeighbor':
      case 'Transpose':
      case 'StridedSlice':
      case 'Shape':
      case 'Pack':
        // Depends on a value, not only on shapes.
        return dims(this.node.attr['_output_shapes']?.shape);
      default:
        return x;
    }
  }

  private get isChannelsFirst(): boolean {
    return this.node.attr['data_format']?.s === 'NCHW';
  }

  /** Of a list with one number for each axis, those along height and width. */
  private pair(name: string): Pair {
    const given = this.node.attr[name]?.list?.i ?? [];
    const at = this.isChannelsFirst ? 2 : 1;
    return [given[at] ?? 1, given[at + 1] ?? 1];
  }

  private pads(): Pads {
    const word = this.node.attr['padding']?.s;
    if (word === 'SAME') return 'same';
    const sides = this.node.attr['explicit_paddings']?.list?.i ?? [];
    const at = this.isChannelsFirst ? 4 : 2;
    const [top = 0, bottom = 0, left = 0, right = 0] = sides.slice(at, at + 4);
    return word === 'EXPLICIT' ? [top, left, bottom, right] : 'valid';
  }

  private image(shape: Shape) {
    const [batch = 1, a = 1, b = 1, c = 1] = shape;
    return this.isChannelsFirst
      ? { batch, channels: a, size: [b, c] as const }
      : { batch, channels: c, size: [a, b] as const };
  }

  private sized(batch: number, [height, width]: Pair, channels: number): Shape {
    return this.isChannelsFirst ? [batch, channels, height, width] : [batch, height, width, channels];
  }

  private convolution(isDepthwise: boolean): Shape | null {
    const [x, filter] = this.inputs;
    if (x?.length !== 4 || filter?.length !== 4) {
      this.layers.notCosted(this.node.op, 'size of its input not known');
      return null;
    }
    const [kernelHeight = 1, kernelWidth = 1, depth = 1, last = 1] = filter;
    const { batch, channels, size } = this.image(x);
    const geometry: ConvGeometry = {
      ...{ batch, input: size, cin: channels, cout: isDepthwise ? channels * last : last },
      kernel: [kernelHeight, kernelWidth],
      strides: this.pair('strides'),
      dilations: this.pair('dilations'),
      groups: isDepthwise ? channels : Math.max(1, Math.round(channels / depth)),
      pads: this.pads(),
      dtype: 'f32',
      layout: this.isChannelsFirst ? 'NCHW' : 'NHWC',
    };
    this.cost(convolution(geometry));
    return this.sized(batch, outputPair(geometry), geometry.cout);
  }

  private dense(): Shape | null {
    const [x, weights] = this.inputs;
    const [a = 0, b = 0] = weights ?? [];
    if (weights?.length !== 2) {
      this.layers.notCosted(this.node.op, 'of two activations, or of many matrices');
      return null;
    }
    const [depth, columns] = this.node.attr['transpose_b']?.b === true ? [b, a] : [a, b];
    const rows = x ? product(x) / depth : (this.layers.batch ?? 1);
    this.cost(dense(rows, depth, columns, 'f32', 'NHWC'));
    return [rows, columns];
  }

  private pool(): Shape | null {
    const [x] = this.inputs;
    if (x?.length !== 4) return null;
    const { batch, channels, size } = this.image(x);
    const [kernel, strides, pads] = [this.pair('ksize'), this.pair('strides'), this.pads()];
    const along = (axis: 0 | 1) => outputAlong(size[axis], kernel[axis], strides[axis], 1, pads, axis);
    return this.sized(batch, [along(0), along(1)], channels);
  }

  private cost(found: Costable): void {
    this.layers.costed(this.node.name, this.node.op, found);
  }
}
