import { broadcast, product, type Shape } from '../shapes.js';
import { broadcastValue, places } from './move.js';
import { asType, isInteger, MAX_NUMBERS, sized, type ElementType, type Tensor } from './tensor.js';

/** Computes one element of the result from the elements of all operands at the same position. */
export type Compute = (values: readonly number[], type: ElementType | null) => number;

/**
 * Applies an operator element by element to operands whose sizes can be broadcast (rules of NumPy). `compute` is null
 * if no size depends on the values.
 */
export function elementwise(
  operands: readonly Tensor[],
  compute: Compute | null,
  resultType: ElementType | null = typeOfAll(operands),
): Tensor {
  const shape = broadcast(operands.map((operand) => operand.shape));
  return computed(operands, shape, compute, resultType);
}

/** Like `elementwise`, with a result of this size. */
export function computed(
  operands: readonly Tensor[],
  shape: Shape | null,
  compute: Compute | null,
  resultType: ElementType | null,
): Tensor {
  const result = sized(shape, resultType);
  const isKnown = operands.every(({ numbers }) => numbers !== null);
  if (compute === null || !isKnown || shape === null || product(shape) > MAX_NUMBERS) return result;
  const operandType = typeOfAll(operands);
  const numbers = places(shape).map((at) =>
    asType(
      compute(
        operands.map((operand) => broadcastValue(operand, at)),
        operandType,
      ),
      resultType,
    ),
  );
  return { ...result, numbers };
}

function typeOfAll(operands: readonly Tensor[]): ElementType | null {
  return operands.find(({ type }) => type !== null)?.type ?? null;
}

/** The remainder with the sign of the divisor, as in Python. */
export function floorMod(a: number, b: number): number {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}

/** Rounds halves to the even neighbour, as in IEEE 754. */
export function roundHalfEven(value: number): number {
  const low = Math.floor(value);
  if (value - low !== 0.5) return Math.round(value);
  return low % 2 === 0 ? low : low + 1;
}

const truth = (is: boolean) => (is ? 1 : 0);
const first =
  (of: (a: number, type: ElementType | null) => number): Compute =>
  ([a = NaN], type) =>
    of(a, type);
const both = (of: (a: number, b: number, type: ElementType | null) => number): Compute => {
  return ([a = NaN, b = NaN], type) => of(a, b, type);
};

/** Integer division rounds towards zero. */
export const DIVIDE: Compute = both((a, b, type) => (isInteger(type) ? Math.trunc(a / b) : a / b));
export const CHOOSE: Compute = ([condition, a = NaN, b = NaN]) => (condition === 0 ? b : a);

export const ARITHMETIC = {
  add: ((values) => values.reduce((sum, value) => sum + value, 0)) as Compute,
  subtract: both((a, b) => a - b),
  multiply: both((a, b) => a * b),
  power: both((a, b) => a ** b),
  floorDivide: both((a, b) => Math.floor(a / b)),
  floorMod: both(floorMod),
  truncatedMod: both((a, b) => a % b),
  maximum: ((values) => Math.max(...values)) as Compute,
  minimum: ((values) => Math.min(...values)) as Compute,
  mean: ((values) => values.reduce((sum, value) => sum + value, 0) / values.length) as Compute,
  negate: first((a) => -a),
  absolute: first(Math.abs),
  sign: first(Math.sign),
  floor: first(Math.floor),
  ceil: first(Math.ceil),
  round: first(roundHalfEven),
  squareRoot: first(Math.sqrt),
  reciprocal: first((a) => 1 / a),
  exponential: first(Math.exp),
  logarithm: first(Math.log),
  identity: first((a) => a),
} as const;

export const LOGIC = {
  equal: both((a, b) => truth(a === b)),
  notEqual: both((a, b) => truth(a !== b)),
  less: both((a, b) => truth(a < b)),
  lessOrEqual: both((a, b) => truth(a <= b)),
  greater: both((a, b) => truth(a > b)),
  greaterOrEqual: both((a, b) => truth(a >= b)),
  and: both((a, b) => truth(a !== 0 && b !== 0)),
  or: both((a, b) => truth(a !== 0 || b !== 0)),
  xor: both((a, b) => truth((a !== 0) !== (b !== 0))),
  not: first((a) => truth(a === 0)),
} as const;

/** Reduces a list of numbers to one number. */
export type Fold = (values: readonly number[]) => number;
export const FOLDS = {
  sum: (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0),
  product: (values: readonly number[]) => values.reduce((all, value) => all * value, 1),
  maximum: (values: readonly number[]) => Math.max(...values),
  minimum: (values: readonly number[]) => Math.min(...values),
  mean: (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length,
  all: (values: readonly number[]) => truth(values.every((value) => value !== 0)),
  any: (values: readonly number[]) => truth(values.some((value) => value !== 0)),
} as const;

/** Reduces a tensor to one number for each position along the remaining axes. Axes count from 0. */
export function reducedAlong(
  x: Tensor,
  axes: readonly number[],
  keepsAxes: boolean,
  fold: Fold | null,
): Tensor {
  if (x.shape === null) return sized(null, x.type);
  const full = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const shape = full.filter((_, axis) => keepsAxes || !axes.includes(axis));
  const result = sized(shape, x.type);
  if (x.numbers === null || fold === null) return result;
  const groups = new Map<string, number[]>(places(full).map((at) => [at.join(), []]));
  places(x.shape).forEach((at, index) => {
    const group = groups.get(at.map((place, axis) => (axes.includes(axis) ? 0 : place)).join());
    group?.push(x.numbers?.[index] ?? NaN);
  });
  return { ...result, numbers: [...groups.values()].map((values) => asType(fold(values), x.type)) };
}
