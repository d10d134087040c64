import { UNKNOWN, type ElementType, type Tensor } from '../../tensors/tensor.js';
import type { NodeView } from '../node-view.js';

/**
 * Returns the known outputs of an operator that does not multiply. Outputs that are missing in the list are unknown.
 * All rules follow the pages of the operators in onnx/docs/Operators.md and Changelog.md.
 */
export type Rule = (node: NodeView) => readonly Tensor[];

/** The same rule under several names. */
export function each(names: string, rule: Rule): [string, Rule][] {
  return names.split(' ').map((name) => [name, rule]);
}

/** Makes a rule with one output. Null means an unknown output. */
export function one(of: (node: NodeView) => Tensor | null): Rule {
  return (node) => [of(node) ?? UNKNOWN];
}

/** Returns the size and the type of an input without its values. */
export function like(x: Tensor, type: ElementType | null = x.type): Tensor {
  return { ...x, numbers: null, type };
}
