import { UNKNOWN, type ElementType, type Tensor } from '../../tensors/tensor.js';
import type { NodeView } from '../node-view.js';

/**
 * The outputs of an operator that does not multiply, as far as they are known; what is missing in the list is unknown. All
 * rules follow the operators' pages in onnx/docs/Operators.md and Changelog.md.
 */
export type Rule = (node: NodeView) => readonly Tensor[];

/** The same rule under several names. */
export function each(names: string, rule: Rule): [string, Rule][] {
  return names.split(' ').map((name) => [name, rule]);
}

/** A rule with one output; null stands for an unknown one. */
export function one(of: (node: NodeView) => Tensor | null): Rule {
  return (node) => [of(node) ?? UNKNOWN];
}

/** The size of an input, without its values. */
export function like(x: Tensor, type: ElementType | null = x.type): Tensor {
  return { ...x, numbers: null, type };
}
