import type { Layout } from '@alphaflops/conv';
import { contractionOf, sizesOf } from './einsum.js';
import { addDense } from './layers.js';
import type { NetworkBuilder } from './network-builder.js';
import { broadcast, product } from './shapes.js';
import { elementCount, sized, UNKNOWN, type Tensor } from './tensors/tensor.js';

export const SIZE_NOT_KNOWN = 'unknown input size';
const TWO_ACTIVATIONS = 'product of two activations';
const MANY_MATRICES = 'product with many weight matrices';

interface ProductNode {
  readonly name: string;
  readonly op: string;
  readonly layout: Layout;
}

/** Adds a missing layer whose operand has an unknown size. */
export function addUnsized(builder: NetworkBuilder, op: string, operands: readonly Tensor[]): Tensor {
  const lostAt = operands.find(({ shape }) => shape === null)?.lostAt ?? null;
  const where = lostAt === null ? '' : `, lost at ${lostAt.op} "${lostAt.name}"`;
  builder.missing(op, `${SIZE_NOT_KNOWN}${where}`, null, lostAt);
  return { ...UNKNOWN, lostAt };
}

/** Returns the type that determines the cost of a product: the type of the weights, if any. */
function typeOf(a: Tensor, b: Tensor): Tensor['type'] {
  const [weights, other] = a.isWeight && !b.isWeight ? [a, b] : [b, a];
  return weights.type ?? other.type;
}

/**
 * Adds a NumPy matrix product of stacks of matrices. A product with one weight matrix, on either side, is a dense
 * layer. Other products are only counted.
 */
export function addMatrixProduct(builder: NetworkBuilder, node: ProductNode, a: Tensor, b: Tensor): Tensor {
  const { name, op, layout } = node;
  const type = typeOf(a, b);
  if (a.shape === null || b.shape === null) return addUnsized(builder, op, [a, b]);
  const left = a.shape.length === 1 ? [1, ...a.shape] : a.shape;
  const right = b.shape.length === 1 ? [...b.shape, 1] : b.shape;
  const [rows = 0, depth = 0] = left.slice(-2);
  const [height = 0, columns = 0] = right.slice(-2);
  const stack = broadcast([left.slice(0, -2), right.slice(0, -2)]);
  if (depth !== height || stack === null) {
    builder.missing(op, 'the sizes do not fit');
    return UNKNOWN;
  }
  const output = sized(
    [...stack, ...(a.shape.length === 1 ? [] : [rows]), ...(b.shape.length === 1 ? [] : [columns])],
    a.type,
  );
  const all = product(stack) * rows;
  const isOne = (shape: readonly number[]) => product(shape.slice(0, -2)) === 1;
  if (a.isWeight && b.isWeight) return output;
  if (b.isWeight && isOne(right)) addDense(builder, { name, op, layout, type, rows: all, depth, columns });
  else if (a.isWeight && isOne(left)) {
    const vectors = product(stack) * columns;
    addDense(builder, { name, op, layout, type, rows: vectors, depth, columns: rows });
  } else {
    builder.missing(op, a.isWeight || b.isWeight ? MANY_MATRICES : TWO_ACTIVATIONS, all * depth * columns);
  }
  return output;
}

/**
 * Returns a tensor that must be a matrix. If only the number of its elements is known, its height follows from its
 * width.
 */
export function asMatrix(x: Tensor, width: number): Tensor {
  const count = elementCount(x);
  if (x.shape !== null || count === null || width === 0 || count % width !== 0) return x;
  return { ...x, shape: [count / width, width], count: null, lostAt: null };
}

/**
 * Adds a product of tensors with named axes. A product with one weight matrix is a dense layer, if no axis is in all
 * three tensors.
 */
export function addEinsum(
  builder: NetworkBuilder,
  node: ProductNode,
  equation: string,
  operands: readonly Tensor[],
): Tensor {
  const { name, op, layout } = node;
  const shapes = operands.map(({ shape }) => shape);
  const known = shapes.filter((shape) => shape !== null);
  if (known.length < shapes.length) return addUnsized(builder, op, operands);
  const found = contractionOf(equation, known);
  if (found === null) {
    builder.missing(op, `the sizes do not fit ${equation}`);
    return UNKNOWN;
  }
  const [x, y] = operands;
  const output = sized(sizesOf(found, found.output), x?.type ?? null);
  if (x === undefined || y === undefined || operands.every(({ isWeight }) => isWeight)) return output;
  if (operands.length > 2) {
    builder.missing(op, 'product of more than two tensors');
    return output;
  }
  const [ofX = [], ofY = []] = found.operands;
  const inOutput = (names: readonly string[]) => names.filter((each) => found.output.includes(each));
  const shared = ofX.filter((each) => ofY.includes(each));
  const size = (names: readonly string[]) => product(sizesOf(found, names));
  const rows = size(inOutput(ofX).filter((each) => !shared.includes(each)));
  const columns = size(inOutput(ofY).filter((each) => !shared.includes(each)));
  const depth = size(shared.filter((each) => !found.output.includes(each)));
  const stack = size(inOutput(shared));
  const macs = stack * rows * columns * depth;
  if (!x.isWeight && !y.isWeight) builder.missing(op, TWO_ACTIVATIONS, macs);
  else if (stack > 1) builder.missing(op, MANY_MATRICES, macs);
  else {
    const [vectors, outputs] = y.isWeight ? [rows, columns] : [columns, rows];
    const type = typeOf(x, y);
    addDense(builder, { name, op, layout, type, rows: vectors, depth, columns: outputs });
  }
  return output;
}

/** Adds the scaled dot products of queries and keys, and the products of the resulting weights and the values. */
export function addAttention(
  builder: NetworkBuilder,
  op: string,
  sizes: { readonly heads: number; readonly queries: number; readonly keys: number; readonly depths: number },
): void {
  const { heads, queries, keys, depths } = sizes;
  builder.missing(op, TWO_ACTIVATIONS, heads * queries * keys * depths);
}
