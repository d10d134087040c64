import { z } from 'zod';
import { contractionOf } from '../einsum.js';
import { addDense, addRecurrence } from '../layers.js';
import { addAttention, addEinsum } from '../products.js';
import { product, type Shape } from '../shapes.js';
import { sized } from '../tensors/tensor.js';
import { single, type LayerRule } from './layer.js';

/** A dense layer, applied to the last axis of its input. */
const dense = single((x, { name, op, config, type, builder }) => {
  const columns = Number(config['units']);
  const rows = product(x.slice(0, -1));
  addDense(builder, { name, op, type, rows, depth: x.at(-1) ?? 0, columns, layout: 'NHWC' });
  return [...x.slice(0, -1), columns];
});

const EINSUM = z.object({
  equation: z.string(),
  output_shape: z.union([z.number(), z.array(z.number().nullable())]),
});

/** An EinsumDense layer. Its equation names the axes of the input, the weights and the output. */
const einsumDense = single((x, { name, op, config, type, builder }) => {
  const { equation, output_shape } = EINSUM.parse(config);
  const [left = '', right = ''] = equation.split('->');
  const [ofInput = '', ofWeights = ''] = left.split(',');
  const input = contractionOf(`${ofInput}->${ofInput}`, [x]);
  const given = typeof output_shape === 'number' ? [output_shape] : output_shape;
  const outputNames = right.replace('...', '').split('').slice(-given.length);
  const sizes = new Map(input?.sizes ?? []);
  outputNames.forEach((axis, at) => {
    const size = given[at];
    if (typeof size === 'number' && !sizes.has(axis)) sizes.set(axis, size);
  });
  const weights = ofWeights.split('').map((axis) => sizes.get(axis) ?? NaN);
  if (input === null || weights.some(Number.isNaN)) {
    builder.missing(op, `the sizes do not fit ${equation}`);
    return null;
  }
  const operands = [sized(x, type), { ...sized(weights, type), isWeight: true }];
  return addEinsum(builder, { name, op, layout: 'NHWC' }, equation, operands).shape;
});

const recurrent =
  (gates: number): LayerRule =>
  ({ name, op, config, type, inputs, builder }) => {
    const [[batch = 0, steps = 0, inputSize = 0] = []] = inputs;
    const hiddenSize = Number(config['units']);
    addRecurrence(builder, { name, op, type, steps, batch, inputSize, hiddenSize, gates, layout: 'NHWC' });
    const last = [batch, hiddenSize];
    const states = config['return_state'] === true ? (gates === 4 ? [last, last] : [last]) : [];
    return [config['return_sequences'] === true ? [batch, steps, hiddenSize] : last, ...states];
  };

/** Attention over [query, value, key]. Without a key, the value is the key. */
const attention: LayerRule = ({ op, inputs, builder }) => {
  const [[batch = 0, queries = 0, depth = 0] = [], value = []] = inputs;
  const [, keys = 0, valueDepth = 0] = value;
  addAttention(builder, op, { heads: batch, queries, keys, depths: depth + valueDepth });
  return [
    [batch, queries, valueDepth],
    [batch, queries, keys],
  ];
};

const OUTPUT_SHAPE = z.union([z.number(), z.array(z.number())]).nullish();

const multiHeadAttention: LayerRule = ({ name, op, config, type, inputs, builder }) => {
  const [[batch = 0, queries = 0, depth = 0] = [], value = [], key = value] = inputs;
  const [, keys = 0] = value;
  const heads = Number(config['num_heads'] ?? config['num_query_heads'] ?? 1);
  const keyHeads = Number(config['num_key_value_heads'] ?? heads);
  const keyDepth = Number(config['key_dim'] ?? config['head_dim'] ?? 1);
  const valueDepth = Number(config['value_dim'] ?? keyDepth);
  const project = (part: string, rows: number, from: number, columns: number) => {
    addDense(builder, { name: `${name} (${part})`, op, type, rows, depth: from, columns, layout: 'NHWC' });
  };
  project('query', batch * queries, depth, heads * keyDepth);
  project('key', batch * keys, key.at(-1) ?? 0, keyHeads * keyDepth);
  project('value', batch * keys, value.at(-1) ?? 0, keyHeads * valueDepth);
  addAttention(builder, op, { heads: batch * heads, queries, keys, depths: keyDepth + valueDepth });
  const given = OUTPUT_SHAPE.parse(config['output_shape']);
  const output = given == null ? [depth] : typeof given === 'number' ? [given] : given;
  project('output', batch * queries, heads * valueDepth, product(output));
  return [
    [batch, queries, ...output],
    [batch, heads, queries, keys],
  ];
};

const AXES = z.union([z.number(), z.tuple([z.number(), z.number()])]);

/** A Dot layer: the product of two tensors along one axis of each. */
const dot: LayerRule = ({ op, config, inputs, builder }) => {
  const [a = [], b = []] = inputs;
  const given = AXES.parse(config['axes']);
  const [first, second] = typeof given === 'number' ? [given, given] : given;
  const without = (shape: Shape, axis: number) => {
    const at = axis < 0 ? axis + shape.length : axis;
    return shape.filter((_, other) => other !== at && other !== 0);
  };
  const rest = [...without(a, first), ...without(b, second)];
  const batch = a[0] ?? 0;
  builder.missing(op, 'product of two activations', batch * product(rest) * (a.at(first) ?? 0));
  return [[batch, ...(rest.length === 0 ? [1] : rest)]];
};

export const PRODUCT_LAYERS: readonly (readonly [string, LayerRule])[] = [
  ['Dense', dense],
  ['EinsumDense', einsumDense],
  ...['LSTM', 'CuDNNLSTM'].map((name) => [name, recurrent(4)] as const),
  ...['GRU', 'CuDNNGRU'].map((name) => [name, recurrent(3)] as const),
  ['SimpleRNN', recurrent(1)],
  ...['Attention', 'AdditiveAttention'].map((name) => [name, attention] as const),
  ...['MultiHeadAttention', 'GroupQueryAttention', 'GroupedQueryAttention'].map(
    (name) => [name, multiHeadAttention] as const,
  ),
  ['Dot', dot],
];

/**
 * Whether a layer or function multiplies or may multiply, by its name. If its size is unknown, it is missing in the
 * total.
 */
export function mayMultiply(name: string): boolean {
  return /conv|dense|matmul|einsum|tensordot|lstm|gru|rnn|attention|linear|dot$|^inner$|^outer$|correlate/i.test(
    name,
  );
}
