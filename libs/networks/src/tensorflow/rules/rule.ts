import { UNKNOWN, type Tensor } from '../../tensors/tensor.js';
import type { NodeView } from '../node-view.js';

/** The outputs of an operator that does not multiply, as far as they are known. Names and inputs: TensorFlow's `ops.pbtxt`. */
export type Rule = (node: NodeView) => readonly Tensor[];

export function each(names: string, rule: Rule): [string, Rule][] {
  return names.split(' ').map((name) => [name, rule]);
}

/** A rule with one output; null stands for an unknown one. */
export function one(of: (node: NodeView) => Tensor | null): Rule {
  return (node) => [of(node) ?? UNKNOWN];
}
