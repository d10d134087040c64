import { ELEMENTWISE_RULES } from './rules/elementwise.js';
import { MICROSOFT_PRODUCT_RULES, MICROSOFT_RULES } from './rules/microsoft.js';
import { PRODUCT_RULES, type ProductRule } from './rules/products.js';
import { REARRANGING_RULES } from './rules/rearranging.js';
import type { Rule } from './rules/rule.js';
import { SIZE_RULES } from './rules/sizes.js';
import { WINDOW_RULES } from './rules/windows.js';

interface OperatorSet {
  readonly products: ReadonlyMap<string, ProductRule>;
  readonly others: ReadonlyMap<string, Rule>;
}

const STANDARD_RULES = [...ELEMENTWISE_RULES, ...REARRANGING_RULES, ...SIZE_RULES, ...WINDOW_RULES];
const STANDARD: OperatorSet = { products: PRODUCT_RULES, others: new Map(STANDARD_RULES) };
const MICROSOFT: OperatorSet = {
  products: MICROSOFT_PRODUCT_RULES,
  others: new Map([...STANDARD_RULES, ...MICROSOFT_RULES]),
};

/** Operators by their domain. ONNX Runtime keeps standard operators in domains of its own when it optimizes a file. */
export const OPERATOR_SETS: ReadonlyMap<string, OperatorSet> = new Map([
  ['', STANDARD],
  ['ai.onnx', STANDARD],
  ['com.microsoft', MICROSOFT],
]);

/** Operators that only make constants or sizes: their cost does not matter. */
export const BOOKKEEPING: ReadonlySet<string> = new Set(
  'Constant ConstantOfShape Shape Size Identity Cast CastLike Dropout'.split(' '),
);
