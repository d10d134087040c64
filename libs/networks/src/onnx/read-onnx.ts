import type { Dtype } from '@alphaflops/conv';
import {
  convolution,
  dense,
  outputPair,
  transposedConvolution,
  transposedOutput,
  type ConvGeometry,
} from '../geometry.js';
import { NetworkBuilder } from '../network-builder.js';
import { checkAxes, NetworkError, type Network, type ReadOptions } from '../network.js';
import { decodeOnnx, toNumber, type OnnxNode, type OnnxValueInfo } from './message.js';
import { asPair, NodeView } from './node-view.js';
import { inferred } from './shape-rules.js';
import { dtypeOf, kept, UNKNOWN, valueOf, type Value } from './value.js';

/** Operators that only make constants or shapes: nobody asks what they cost. */
const BOOKKEEPING = new Set(['Constant', 'ConstantOfShape', 'Shape', 'Identity', 'Cast', 'Dropout']);

/**
 * The layers of an ONNX file (any opset): shapes are inferred from the input on, or taken from the file where an operator
 * is not known. Sizes of open axes: the first is the batch, others have to be given.
 *
 * @throws NetworkError `malformed`, `unknown-size`, `bad-option`.
 */
export function readOnnx(bytes: Uint8Array, options: ReadOptions = {}): Network {
  const graph = decodeOnnx(bytes);
  const layers = new NetworkBuilder();
  const values = new Map<string, Value>(graph.initializer.map((tensor) => [tensor.name, valueOf(tensor)]));
  // Old files name their weights among the inputs too.
  const inputs = graph.input.filter(({ name }) => !values.has(name));
  inputs.forEach((input, at) => values.set(input.name, inputValue(input, options, at === 0)));
  layers.batch = values.get(inputs[0]?.name ?? '')?.shape?.[0] ?? null;
  const told = new Map(graph.valueInfo.map((info) => [info.name, toldValue(info)]));

  for (const node of graph.node) {
    layers.visit();
    const view = new NodeView(
      node,
      node.input.map((name) => (name === '' ? undefined : values.get(name))),
    );
    const outputs = costed(node, view, layers) ?? inferred(view);
    node.output.forEach((name, at) => {
      const output = kept(outputs[at] ?? UNKNOWN);
      values.set(name, output.shape === null ? (told.get(name) ?? output) : output);
    });
  }
  return layers.build('onnx', graph.name === '' ? null : graph.name);
}

/** Outputs of a layer that has a cost, or that would have one; null of other operators, which are counted. */
function costed(node: OnnxNode, view: NodeView, layers: NetworkBuilder): readonly Value[] | null {
  const name = node.name === '' ? (node.output[0] ?? node.opType) : node.name;
  switch (node.opType) {
    case 'Conv':
    case 'ConvTranspose':
      return [convolutionNode(name, view, layers)];
    case 'Gemm':
      return [gemm(name, view, layers)];
    case 'MatMul':
      return [matMul(name, view, layers)];
    default:
      if (!BOOKKEEPING.has(node.opType)) layers.notCosted(node.opType);
      return null;
  }
}

function convolutionNode(name: string, view: NodeView, layers: NetworkBuilder): Value {
  const [x, w] = [view.input(0), view.input(1)];
  const isTransposed = view.op === 'ConvTranspose';
  const refused = (reason: string) => {
    layers.notCosted(view.op, reason);
    return UNKNOWN;
  };
  if (x.shape === null) return refused('size of its input not known');
  if (w.shape === null) return refused('size of its kernel not known');
  const dtype = w.dtype ?? x.dtype;
  if (dtype === null) return refused('neither f32 nor f16 nor bf16');
  const [batch = 0, cin = 0, ...spatial] = x.shape;
  const [first = 0, second = 0, ...kernel] = w.shape;
  if (spatial.length === 0 || spatial.length !== kernel.length) return refused('sizes that do not fit');
  if (spatial.length > 2) return refused(`${spatial.length}-dimensional`);
  const groups = view.int('group', 1);
  const geometry: ConvGeometry = {
    batch,
    cin,
    cout: isTransposed ? second * groups : first,
    input: asPair(spatial, 1),
    kernel: asPair(kernel, 1),
    strides: view.pair('strides', 1),
    dilations: view.pair('dilations', 1),
    groups,
    pads: view.pads(spatial.length),
    dtype,
    layout: 'NCHW',
  };
  if ((isTransposed ? first : second * groups) !== cin) return refused('channels that do not fit its kernel');
  const output = isTransposed
    ? transposedOutput(geometry, view.pair('output_padding', 0))
    : outputPair(geometry);
  layers.costed(
    name,
    view.op,
    isTransposed ? transposedConvolution(geometry, output) : convolution(geometry),
  );
  const sizes = spatial.length === 1 ? output.slice(1) : output;
  return { shape: [batch, geometry.cout, ...sizes], numbers: null, dtype: x.dtype };
}

function gemm(name: string, view: NodeView, layers: NetworkBuilder): Value {
  const [a, b] = [view.input(0), view.input(1)];
  if (a.shape?.length !== 2 || b.shape?.length !== 2) {
    layers.notCosted(view.op, 'size of an input not known');
    return UNKNOWN;
  }
  const turned = ([rows = 0, columns = 0]: readonly number[], isTurned: boolean) =>
    isTurned ? ([columns, rows] as const) : ([rows, columns] as const);
  const [rows, depth] = turned(a.shape, view.int('transA', 0) === 1);
  const [, columns] = turned(b.shape, view.int('transB', 0) === 1);
  return denseNode(name, view.op, { rows, depth, columns, shape: [rows, columns], like: a }, layers);
}

/** A product with weights is a dense layer; one of two activations (attention) is not. */
function matMul(name: string, view: NodeView, layers: NetworkBuilder): Value {
  const [a, b] = [view.input(0), view.input(1)];
  if (a.shape === null || b.shape === null) {
    layers.notCosted(view.op, 'size of an input not known');
    return UNKNOWN;
  }
  const [depth = 0, columns = 0] = b.shape.slice(-2);
  const shape = [...a.shape.slice(0, -1), columns];
  if (b.shape.length !== 2) {
    layers.notCosted(view.op, 'of two activations, or of many matrices');
    return { shape, numbers: null, dtype: a.dtype };
  }
  const rows = a.shape.slice(0, -1).reduce((all, size) => all * size, 1);
  return denseNode(name, view.op, { rows, depth, columns, shape, like: a }, layers);
}

function denseNode(
  name: string,
  op: string,
  found: { rows: number; depth: number; columns: number; shape: readonly number[]; like: Value },
  layers: NetworkBuilder,
): Value {
  const { rows, depth, columns, shape, like } = found;
  const dtype: Dtype | null = like.dtype;
  if (dtype === null) layers.notCosted(op, 'neither f32 nor f16 nor bf16');
  else layers.costed(name, op, dense(rows, depth, columns, dtype, 'NCHW'));
  return { shape, numbers: null, dtype };
}

function inputValue(info: OnnxValueInfo, { batch = 1, inputShape }: ReadOptions, isFirst: boolean): Value {
  const tensor = info.type?.tensorType;
  const sizes = (tensor?.shape?.dim ?? []).map(({ dimValue }) => toNumber(dimValue));
  const dtype = dtypeOf(tensor?.elemType ?? 0);
  if (isFirst && inputShape !== undefined) {
    checkAxes(inputShape, sizes, info.name);
    return { shape: inputShape, numbers: null, dtype };
  }
  const shape = sizes.map((size, axis) => (size > 0 ? size : axis === 0 ? batch : NaN));
  if (isFirst && (shape.length === 0 || shape.some(Number.isNaN))) {
    const shown = shape.map((size) => (Number.isNaN(size) ? '?' : size)).join('x');
    throw new NetworkError(
      'unknown-size',
      `The file leaves the size of its input "${info.name}" open (${shown || 'unknown'}). Give it, for example 1x3x224x224.`,
    );
  }
  return { shape: shape.some(Number.isNaN) ? null : shape, numbers: null, dtype };
}

function toldValue(info: OnnxValueInfo): Value {
  const tensor = info.type?.tensorType;
  const sizes = tensor?.shape?.dim.map(({ dimValue }) => toNumber(dimValue)) ?? [0];
  return {
    shape: sizes.every((size) => size > 0) ? sizes : null,
    numbers: null,
    dtype: dtypeOf(tensor?.elemType ?? 0),
  };
}
