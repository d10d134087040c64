import { addConvolution, addRecurrence } from '../../layers.js';
import type { NetworkBuilder } from '../../network-builder.js';
import { addAttention, addEinsum, addMatrixProduct, addUnsized, asMatrix } from '../../products.js';
import { product, type Shape } from '../../shapes.js';
import { transposedBy } from '../../tensors/move.js';
import { sized, UNKNOWN, type Tensor } from '../../tensors/tensor.js';
import { transposedWindowOutput, type Windows } from '../../tensors/windows.js';
import type { NodeView } from '../node-view.js';

/** Returns the outputs of an operator that multiplies, and adds its layers. */
export type ProductRule = (node: NodeView, builder: NetworkBuilder) => readonly Tensor[];

/** The positions of the operands of a convolution, and the order of its axes. */
interface ConvolutionForm {
  readonly weightsAt: number;
  readonly isTransposed?: boolean;
  /** Batch, space, channels. */
  readonly isChannelsLast?: boolean;
  /** The type of the output, if it differs from the type of the input. */
  readonly result?: (node: NodeView) => Tensor['type'];
}

export function convolution(form: ConvolutionForm): ProductRule {
  return (node, builder) => {
    const [x, w] = [node.input(0), node.input(form.weightsAt)];
    if (x.shape === null || w.shape === null) return [addUnsized(builder, node.op, [x, w])];
    const isLast = form.isChannelsLast === true || node.int('channels_last', 0) === 1;
    const image = layoutOf(x.shape, isLast);
    const [first = 0, second = 0, ...kernel] = w.shape;
    const groups = node.int('group', 1);
    const isTransposed = form.isTransposed === true;
    const cin = isTransposed ? first : second * groups;
    if (
      image === null ||
      image.spatial.length !== kernel.length ||
      cin !== image.channels ||
      first % groups !== 0
    ) {
      builder.missing(node.op, 'the sizes do not fit the kernel');
      return [UNKNOWN];
    }
    const windows = node.windows(kernel);
    const cout = isTransposed ? second * groups : first;
    const output = addConvolution(builder, {
      ...{ name: node.name, op: node.op, batch: image.batch, cin, cout, groups, windows },
      spatial: image.spatial,
      transposedTo: isTransposed ? transposedSizes(node, image.spatial, windows) : null,
      type: w.type ?? x.type,
      layout: isLast ? 'NHWC' : 'NCHW',
    });
    const shape = isLast ? [image.batch, ...output, cout] : [image.batch, cout, ...output];
    return [sized(shape, form.result === undefined ? x.type : form.result(node))];
  };
}

function layoutOf(shape: Shape, isChannelsLast: boolean) {
  if (shape.length < 3) return null;
  const [batch = 0, ...rest] = shape;
  const channels = (isChannelsLast ? rest.at(-1) : rest[0]) ?? 0;
  return { batch, channels, spatial: isChannelsLast ? rest.slice(0, -1) : rest.slice(1) };
}

/** `output_shape` has the sizes of the spatial axes. Old files have the sizes of all axes. */
function transposedSizes(node: NodeView, spatial: readonly number[], windows: Windows): number[] {
  const given = node.ints('output_shape');
  if (given !== null && given.length >= spatial.length) return given.slice(-spatial.length);
  return transposedWindowOutput(spatial, windows, node.ints('output_padding'));
}

const matMul =
  (weightsAt: number, result: (node: NodeView) => Tensor['type']): ProductRule =>
  (node, builder) => {
    const of = { name: node.name, op: node.op, layout: 'NCHW' } as const;
    const output = addMatrixProduct(builder, of, node.input(0), node.input(weightsAt));
    return [{ ...output, type: result(node) ?? output.type }];
  };

function gemm(node: NodeView, builder: NetworkBuilder): Tensor[] {
  const turned = (x: Tensor, name: string) =>
    x.shape !== null && node.int(name, 0) === 1 ? (transposedBy(x, [1, 0]) ?? UNKNOWN) : x;
  const b = turned(node.input(1), 'transB');
  const isTurned = node.int('transA', 0) === 1;
  const a = isTurned ? turned(node.input(0), 'transA') : asMatrix(node.input(0), b.shape?.[0] ?? 0);
  if (a.shape !== null && a.shape.length !== 2) return [addUnsized(builder, node.op, [UNKNOWN])];
  return [addMatrixProduct(builder, { name: node.name, op: node.op, layout: 'NCHW' }, a, b)];
}

function einsum(node: NodeView, builder: NetworkBuilder): Tensor[] {
  const of = { name: node.name, op: node.op, layout: 'NCHW' } as const;
  return [addEinsum(builder, of, node.text('equation') ?? '', node.allInputs())];
}

/**
 * A recurrent operator. Inputs: sequence, weights of the input, weights of the state. `gates` is as in
 * `addRecurrence`.
 */
export function recurrent(gates: number): ProductRule {
  return (node, builder) => {
    const [x, w, r] = [node.input(0), node.input(1), node.input(2)];
    if (x.shape === null || r.shape === null) return [addUnsized(builder, node.op, [x, r])];
    const isBatchFirst = node.int('layout', 0) === 1;
    const [first = 0, second = 0, inputSize = 0] = x.shape;
    const [steps, batch] = isBatchFirst ? [second, first] : [first, second];
    const directions = r.shape[0] ?? 1;
    const hiddenSize = node.int('hidden_size', r.shape.at(-1) ?? 0);
    for (let direction = 1; direction <= directions; direction++) {
      const name = directions === 1 ? node.name : `${node.name} (direction ${direction})`;
      const type = w.type ?? x.type;
      const sizes = { steps, batch, inputSize, hiddenSize, gates };
      addRecurrence(builder, { name, op: node.op, layout: 'NCHW', type, ...sizes });
    }
    const [all, last] = isBatchFirst
      ? [
          [batch, steps, directions, hiddenSize],
          [batch, directions, hiddenSize],
        ]
      : [
          [steps, directions, batch, hiddenSize],
          [directions, batch, hiddenSize],
        ];
    return [sized(all, x.type), sized(last, x.type), sized(last, x.type)];
  };
}

/**
 * Queries, keys and values have four axes (batch, heads, positions, depth), or three axes with the heads in the last
 * one.
 */
function attention(node: NodeView, builder: NetworkBuilder): Tensor[] {
  const [q, k, v] = [node.input(0), node.input(1), node.input(2)];
  if (q.shape === null || k.shape === null || v.shape === null)
    return [addUnsized(builder, node.op, [q, k, v])];
  const heads = (x: Shape, name: string) => (x.length === 4 ? (x[1] ?? 1) : node.int(name, 1));
  const queryHeads = heads(q.shape, 'q_num_heads');
  const depth = (x: Shape, count: number) => (x.length === 4 ? (x[3] ?? 0) : (x[2] ?? 0) / count);
  const valueDepth = depth(v.shape, heads(v.shape, 'kv_num_heads'));
  const past = node.input(4).shape?.[2] ?? 0;
  addAttention(builder, node.op, {
    heads: (q.shape[0] ?? 0) * queryHeads,
    queries: q.shape.at(-2) ?? 0,
    keys: (k.shape.at(-2) ?? 0) + past,
    depths: depth(q.shape, queryHeads) + valueDepth,
  });
  const last = q.shape.length === 4 ? valueDepth : valueDepth * queryHeads;
  return [sized([...q.shape.slice(0, -1), last], q.type)];
}

/** A deformable convolution. Its offsets are computed, so it is not a plain convolution. */
function deformable(node: NodeView, builder: NetworkBuilder): Tensor[] {
  const [x, w, offsets] = [node.input(0), node.input(1), node.input(2)];
  if (x.shape === null || w.shape === null || offsets.shape === null) {
    return [addUnsized(builder, node.op, [x, w, offsets])];
  }
  const shape = [x.shape[0] ?? 0, w.shape[0] ?? 0, ...offsets.shape.slice(2)];
  builder.missing(node.op, 'deformable', product(shape) * product(w.shape.slice(1)));
  return [sized(shape, x.type)];
}

const ofInput = (node: NodeView) => node.input(0).type;
const ofOutputZero = (at: number) => (node: NodeView) => node.input(at).type;

/** The operators of the standard set that multiply. */
export const PRODUCT_RULES: ReadonlyMap<string, ProductRule> = new Map<string, ProductRule>([
  ['Conv', convolution({ weightsAt: 1 })],
  ['ConvTranspose', convolution({ weightsAt: 1, isTransposed: true })],
  ['ConvInteger', convolution({ weightsAt: 1, result: () => 'i32' })],
  ['QLinearConv', convolution({ weightsAt: 3, result: ofOutputZero(7) })],
  ['DeformConv', deformable],
  ['MatMul', matMul(1, ofInput)],
  ['MatMulInteger', matMul(1, () => 'i32')],
  ['QLinearMatMul', matMul(3, ofOutputZero(7))],
  ['Gemm', gemm],
  ['Einsum', einsum],
  ['LSTM', recurrent(4)],
  ['GRU', recurrent(3)],
  ['RNN', recurrent(1)],
  ['Attention', attention],
]);
