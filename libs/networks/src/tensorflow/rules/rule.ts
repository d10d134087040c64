import { UNKNOWN, type Tensor } from '../../tensors/tensor.js';
import type { NodeView } from '../node-view.js';

/**
 * Returns the known outputs of an operator that does not multiply. Names and inputs follow `ops.pbtxt` of TensorFlow.
 */
export type Rule = (node: NodeView) => readonly Tensor[];

export function each(names: string, rule: Rule): [string, Rule][] {
  return names.split(' ').map((name) => [name, rule]);
}

/** Makes a rule with one output. Null means an unknown output. */
export function one(of: (node: NodeView) => Tensor | null): Rule {
  return (node) => [of(node) ?? UNKNOWN];
}
