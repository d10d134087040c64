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

/** Exchanges the last two axes. */
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

/** Returns the rule of a product with the weights at one input and a result of one type. */
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

/** A product with packed weights of a few bits each. The sizes of the weights are attributes. */
function packedProduct(node: NodeView, builder: NetworkBuilder): Tensor[] {
  const x = node.input(0);
  const [depth, columns] = [node.int('K', 0), node.int('N', 0)];
  if (x.shape === null) return [addUnsized(builder, node.op, [x])];
  const rows = x.shape.slice(0, -1);
  const type = `i${node.int('bits', 4)}`;
  builder.missing(
    node.op,
    `weights of type ${type} are not measured`,
    rows.reduce((all, n) => all * n, depth * columns),
  );
  return [sized([...rows, columns], x.type)];
}

/** Attention, preceded by one product with the weights of queries, keys and values. */
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
  // Keys and values may be packed in one tensor, or have a separate axis for the heads.
  const keys = k.shape?.length === 4 ? (k.shape[2] ?? queries) : (k.shape?.[1] ?? queries);
  const valueDepth = v.shape?.length === 3 ? (v.shape[2] ?? depth) : depth;
  addAttention(builder, node.op, { heads: batch, queries, keys, depths: depth + valueDepth });
  return [sized([batch, queries, valueDepth], q.type)];
}

/**
 * Attention with a cache of the keys and values of earlier positions. The length of the cache is known only at run
 * time.
 */
function groupedAttention(node: NodeView, builder: NetworkBuilder): Tensor[] {
  builder.missing(node.op, 'product of two activations');
  return [like(node.input(0))];
}

/** A pooling; an attribute can put the channels last. */
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

/** Each part is followed by its own scale and zero point. The scale and zero point of the result come first. */
function quantizedConcat(node: NodeView): Tensor | null {
  const inputs = node.allInputs().slice(2);
  return joinedAlong(
    inputs.filter((_, at) => at % 3 === 0),
    node.int('axis', 0),
  );
}

/** Looks up words, segments and positions in tables, and adds them. */
function embedded(node: NodeView): Tensor[] {
  const [batch, positions] = node.input(0).shape ?? [];
  const width = node.input(2).shape?.[1];
  if (batch === undefined || positions === undefined || width === undefined) return [];
  return [sized([batch, positions, width], node.input(2).type), sized([batch], 'i32')];
}

/** The normalization of a sum. The sum is the fourth output. */
const sumNormalized: Rule = (node) => {
  const x = like(node.input(0));
  return [x, UNKNOWN, UNKNOWN, x];
};

/** Multiplying operators of the set of ONNX Runtime: com.microsoft, in onnxruntime/docs/ContribOperators.md. */
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
  // In its weights, the axis of the input comes before the axis of the gates. This changes no size that is read.
  ['DynamicQuantizeLSTM', recurrent(4)],
  ['Attention', selfAttention(1)],
  ['QAttention', selfAttention(1)],
  ['MultiHeadAttention', multiHeadAttention],
  ['GroupQueryAttention', groupedAttention],
]);

/** The other operators of the set of ONNX Runtime. */
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
