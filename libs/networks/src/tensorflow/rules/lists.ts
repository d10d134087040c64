import { gatheredAlong } from '../../tensors/move.js';
import { integers, sized, UNKNOWN, type Tensor } from '../../tensors/tensor.js';
import type { NodeView } from '../node-view.js';
import { one, type Rule } from './rule.js';

/**
 * A list of tensors with equal sizes counts as one tensor with an axis for the length of the list. For a list without
 * elements, only that axis is known.
 */
function reserved(node: NodeView): Tensor | null {
  const [element, length] = [node.numbers(0), node.numbers(1)?.[0]];
  if (length === undefined) return null;
  const isKnown = element?.every((size) => size >= 0) === true;
  return sized([length, ...(isKnown ? element : [])], node.type('element_dtype'));
}

function withItem(node: NodeView): Tensor | null {
  const [list, item] = [node.input(0), node.input(2)];
  const length = list.shape?.[0];
  if (length === undefined || item.shape === null) return list;
  return { ...UNKNOWN, shape: [length, ...item.shape], type: item.type };
}

function item(node: NodeView): Tensor | null {
  const taken = gatheredAlong(node.input(0), integers([0], true), 0);
  return taken === null ? null : { ...taken, numbers: null };
}

export const LIST_RULES: readonly (readonly [string, Rule])[] = [
  ['TensorListReserve', one(reserved)],
  ['TensorListFromTensor', one((node) => node.input(0))],
  ['TensorListSetItem', one(withItem)],
  ['TensorListGetItem', one(item)],
  ['TensorListStack', one((node) => node.input(0))],
  ['TensorListLength', one(({ inputs: [list] }) => (list?.shape ? integers(list.shape.slice(0, 1)) : null))],
];
