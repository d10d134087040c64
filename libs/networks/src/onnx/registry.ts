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

/** Operators by domain. When ONNX Runtime optimizes a file, it moves standard operators to its own domains. */
export const OPERATOR_SETS: ReadonlyMap<string, OperatorSet> = new Map([
  ['', STANDARD],
  ['ai.onnx', STANDARD],
  ['com.microsoft', MICROSOFT],
]);

/** Operators that only produce constants or sizes. Their cost is negligible. */
export const BOOKKEEPING: ReadonlySet<string> = new Set(
  'Constant ConstantOfShape Shape Size Identity Cast CastLike Dropout'.split(' '),
);
