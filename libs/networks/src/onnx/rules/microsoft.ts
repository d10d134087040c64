import { addDense } from '../../layers.js';
import type { NetworkBuilder } from '../../network-builder.js';
import { addAttention, addMatrixProduct, addUnsized } from '../../products.js';
import { joinedAlong, transposedBy } from '../../tensors/move.js';
import { elementwise } from '../../tensors/compute.js';
import { sized, UNKNOWN, type Tensor } from '../../tensors/tensor.js';
import { windowOutput } from '../../tensors/windows.js';
import type { NodeView } from '../node-view.js';
import { convolution, PRODUCT_RULES, recurrent, type ProductRule } from './products.js';
import { each, like, one, type Rule } from './rule.js';

/** Last two axes exchanged. */
function turned(x: Tensor): Tensor {
  const rank = x.shape?.length ?? 0;
  const order = Array.from({ length: rank }, (_, axis) => axis);
  return rank < 2 ? x : (transposedBy(x, [...order.slice(0, -2), rank - 1, rank - 2]) ?? UNKNOWN);
}

function fusedMatMul(node: NodeView, builder: NetworkBuilder): Tensor[] {
  const [a, b] = [node.input(0), node.input(1)];
  return [
    addMatrixProduct(
      builder,
      { name: node.name, op: node.op, layout: 'NCHW' },
      node.int('transA', 0) === 1 ? turned(a) : a,
      node.int('transB', 0) === 1 ? turned(b) : b,
    ),
  ];
}

/** A product with the weights at that input, and a result of that type. */
const matrixProduct =
  (weightsAt: number, result: Tensor['type'] | null): ProductRule =>
  (node, builder) => {
    const of = { name: node.name, op: node.op, layout: 'NCHW' } as const;
    const output = addMatrixProduct(builder, of, node.input(0), node.input(weightsAt));
    return [{ ...output, type: result ?? output.type }];
  };

function quantizedGemm(node: NodeView, builder: NetworkBuilder): Tensor[] {
  const b = node.input(3);
  const of = { name: node.name, op: node.op, layout: 'NCHW' } as const;
  return [addMatrixProduct(builder, of, node.input(0), node.int('transB', 0) === 1 ? turned(b) : b)];
}

/** Weights of a few bits each, packed; their sizes are attributes. */
function packedProduct(node: NodeView, builder: NetworkBuilder): Tensor[] {
  const x = node.input(0);
  const [depth, columns] = [node.int('K', 0), node.int('N', 0)];
  if (x.shape === null) return [addUnsized(builder, node.op, [x])];
  const rows = x.shape.slice(0, -1);
  const type = `i${node.int('bits', 4)}`;
  builder.missing(
    node.op,
    `of ${type} weights, which is not measured`,
    rows.reduce((all, n) => all * n, depth * columns),
  );
  return [sized([...rows, columns], x.type)];
}

/** The products with the weights of queries, keys and values in one, and attention. */
const selfAttention =
  (weightsAt: number): ProductRule =>
  (node, builder) => {
    const [x, w] = [node.input(0), node.input(weightsAt)];
    if (x.shape === null || w.shape === null) return [addUnsized(builder, node.op, [x, w])];
    const [batch = 0, positions = 0, depth = 0] = x.shape;
    const columns = w.shape.at(-1) ?? 0;
    const [q = columns / 3, k = columns / 3, v = columns / 3] = node.ints('qkv_hidden_sizes') ?? [];
    const rest = { name: node.name, op: node.op, layout: 'NCHW', type: w.type } as const;
    addDense(builder, { ...rest, rows: batch * positions, depth, columns: q + k + v });
    addAttention(builder, node.op, { heads: batch, queries: positions, keys: positions, depths: q + v });
    return [sized([batch, positions, v], x.type)];
  };

function multiHeadAttention(node: NodeView, builder: NetworkBuilder): Tensor[] {
  const [q, k, v] = [node.input(0), node.input(1), node.input(2)];
  if (q.shape?.length !== 3) return [addUnsized(builder, node.op, [UNKNOWN])];
  const [batch = 0, queries = 0, depth = 0] = q.shape;
  // Keys and values may stand packed in one tensor, or with their heads apart.
  const keys = k.shape?.length === 4 ? (k.shape[2] ?? queries) : (k.shape?.[1] ?? queries);
  const valueDepth = v.shape?.length === 3 ? (v.shape[2] ?? depth) : depth;
  addAttention(builder, node.op, { heads: batch, queries, keys, depths: depth + valueDepth });
  return [sized([batch, queries, valueDepth], q.type)];
}

/** Keys and values of earlier positions are in a cache whose length is only known when it runs. */
function groupedAttention(node: NodeView, builder: NetworkBuilder): Tensor[] {
  builder.missing(node.op, 'of two activations');
  return [like(node.input(0))];
}

/** Channels last where an attribute says so. */
function quantizedPool(node: NodeView): Tensor[] {
  const x = node.input(0);
  const kernel = node.ints('kernel_shape');
  if (x.shape === null || kernel === null) return [];
  const isLast = node.int('channels_last', node.op === 'NhwcMaxPool' ? 1 : 0) === 1;
  const [batch = 0, ...rest] = x.shape;
  const spatial = isLast ? rest.slice(0, -1) : rest.slice(1);
  const output = windowOutput(spatial, node.windows(kernel), node.int('ceil_mode', 0) === 1);
  return [sized(isLast ? [batch, ...output, rest.at(-1) ?? 0] : [batch, rest[0] ?? 0, ...output], x.type)];
}

function quantizedGlobalPool(node: NodeView): Tensor {
  const x = node.input(0);
  const isLast = node.int('channels_last', 0) === 1;
  const last = (x.shape?.length ?? 0) - 1;
  const keeps = (axis: number) => axis === 0 || axis === (isLast ? last : 1);
  return sized(x.shape?.map((size, axis) => (keeps(axis) ? size : 1)) ?? null, x.type);
}

/** Each part has its own scale and zero point beside it, after those of the result. */
function quantizedConcat(node: NodeView): Tensor | null {
  const inputs = node.allInputs().slice(2);
  return joinedAlong(
    inputs.filter((_, at) => at % 3 === 0),
    node.int('axis', 0),
  );
}

/** Words, segments and positions looked up and added. */
function embedded(node: NodeView): Tensor[] {
  const [batch, positions] = node.input(0).shape ?? [];
  const width = node.input(2).shape?.[1];
  if (batch === undefined || positions === undefined || width === undefined) return [];
  return [sized([batch, positions, width], node.input(2).type), sized([batch], 'i32')];
}

/** Normalization of a sum; the sum itself is the fourth output. */
const sumNormalized: Rule = (node) => {
  const x = like(node.input(0));
  return [x, UNKNOWN, UNKNOWN, x];
};

/** Operators of ONNX Runtime's own set that multiply: com.microsoft, in onnxruntime/docs/ContribOperators.md. */
export const MICROSOFT_PRODUCT_RULES: ReadonlyMap<string, ProductRule> = new Map<string, ProductRule>([
  ...PRODUCT_RULES,
  ['FusedConv', convolution({ weightsAt: 1 })],
  ['NhwcConv', convolution({ weightsAt: 1, isChannelsLast: true })],
  ['NhwcFusedConv', convolution({ weightsAt: 1, isChannelsLast: true })],
  ['FusedMatMul', fusedMatMul],
  ['TransposeMatMul', fusedMatMul],
  ['FusedGemm', PRODUCT_RULES.get('Gemm') ?? fusedMatMul],
  ['QGemm', quantizedGemm],
  ['DynamicQuantizeMatMul', matrixProduct(1, 'f32')],
  ['MatMulIntegerToFloat', matrixProduct(1, 'f32')],
  ['MatMulInteger16', matrixProduct(1, 'i32')],
  ['MatMulNBits', packedProduct],
  // Its weights have the axis of the input before that of the gates, which changes no size that is read.
  ['DynamicQuantizeLSTM', recurrent(4)],
  ['Attention', selfAttention(1)],
  ['QAttention', selfAttention(1)],
  ['MultiHeadAttention', multiHeadAttention],
  ['GroupQueryAttention', groupedAttention],
]);

/** The others of ONNX Runtime's own set. */
export const MICROSOFT_RULES: readonly (readonly [string, Rule])[] = [
  ...each(
    'FastGelu BiasGelu QuickGelu Gelu QLinearLeakyRelu QLinearSigmoid QLinearSoftmax GroupNorm BiasSoftmax BiasSplitGelu ' +
      'SimplifiedLayerNormalization RotaryEmbedding Inverse Trilu GemmaRotaryEmbedding',
    one((node) => like(node.input(0))),
  ),
  ...each('SkipLayerNormalization SkipSimplifiedLayerNormalization SkipGroupNorm', sumNormalized),
  ...each(
    'QLinearAdd QLinearMul',
    one((node) => elementwise([node.input(0), node.input(3)], null)),
  ),
  [
    'QLinearWhere',
    one((node) => elementwise([node.input(0), node.input(1), node.input(4)], null, node.input(1).type)),
  ],
  ['BiasAdd', one((node) => like(node.input(0)))],
  ...each('QLinearAveragePool NhwcMaxPool', quantizedPool),
  ['QLinearGlobalAveragePool', one(quantizedGlobalPool)],
  ['QLinearConcat', one(quantizedConcat)],
  ['EmbedLayerNormalization', embedded],
];
