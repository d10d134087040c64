import { NetworkError } from '../network.js';
import { inOrder } from '../order.js';
import { sources, type GraphNode } from './graph.js';

/** Operators that run one after another: a single operator, or all operators of a loop of TensorFlow 1. */
export interface Unit {
  readonly nodes: readonly GraphNode[];
  /** Null for a single operator. */
  readonly loop: Loop | null;
}

export interface Loop {
  /** The operators that the condition depends on, with the condition last; null for nested loops. */
  readonly test: readonly GraphNode[] | null;
  readonly body: readonly GraphNode[];
}

/**
 * Sorts the operators of a graph so that each one comes after the operators that it reads from. A loop stays in one
 * piece. It has an Enter for each value that it reads, with the name of the loop; a Merge for each value that it
 * changes; a NextIteration that returns the value to the Merge; and a LoopCond.
 *
 * @throws NetworkError `malformed` for a cycle that is not such a loop
 */
export function unitsInOrder(nodes: readonly GraphNode[]): Unit[] {
  const ordered = ordering(
    nodes.map((node) => [node]),
    returningOf(nodes),
  ).flat();
  const loops = new Map<string, GraphNode[]>();
  const loopOf = outermostLoops(ordered);
  const groups = ordered.flatMap((node) => {
    const loop = loopOf.get(node.name);
    if (loop === undefined) return [[node]];
    const known = loops.get(loop);
    if (known !== undefined) {
      known.push(node);
      return [];
    }
    const group = [node];
    loops.set(loop, group);
    return [group];
  });
  return ordering(groups, new Set()).map((group) => ({
    nodes: group,
    loop: group[0] !== undefined && loopOf.has(group[0].name) ? partsOf(group) : null,
  }));
}

/** Names of the operators that return a value to the start of a loop. */
export function returningOf(nodes: readonly GraphNode[]): ReadonlySet<string> {
  return new Set(nodes.filter(({ op }) => op.endsWith('NextIteration')).map(({ name }) => name));
}

/** @param returning operators whose values an operator does not wait for */
function ordering(
  groups: readonly (readonly GraphNode[])[],
  returning: ReadonlySet<string>,
): (readonly GraphNode[])[] {
  const ordered = inOrder(
    groups,
    (group) => group.map(({ name }) => name),
    (group) => {
      const own = new Set(group.length > 1 ? group.map(({ name }) => name) : []);
      return group
        .flatMap(sources)
        .map(({ name }) => name)
        .filter((name) => !returning.has(name) && !own.has(name));
    },
  );
  if (ordered !== null) return ordered;
  throw new NetworkError('malformed', 'This graph has a cycle that is not a loop.');
}

/**
 * Returns the name of the loop for each operator inside a loop. For nested loops, it is the name of the outermost
 * one.
 */
function outermostLoops(ordered: readonly GraphNode[]): Map<string, string> {
  const loopOf = new Map<string, string>();
  const parents = new Map<string, string>();
  const exits = new Set<string>();
  for (const node of ordered) {
    const around = sources(node).flatMap(({ name }) => {
      const loop = loopOf.get(name);
      return (exits.has(name) && loop !== undefined ? parents.get(loop) : loop) ?? [];
    })[0];
    const entered = node.op === 'Enter' ? node.attr?.['frame_name']?.s : undefined;
    if (entered !== undefined && around !== undefined && around !== entered) parents.set(entered, around);
    const loop = entered ?? around;
    if (loop !== undefined) loopOf.set(node.name, loop);
    if (node.op === 'Exit') exits.add(node.name);
  }
  const outermost = (loop: string): string => {
    const parent = parents.get(loop);
    return parent === undefined ? loop : outermost(parent);
  };
  return new Map([...loopOf].map(([name, loop]) => [name, outermost(loop)]));
}

function partsOf(nodes: readonly GraphNode[]): Loop {
  const conditions = nodes.filter(({ op }) => op === 'LoopCond');
  const [condition] = conditions;
  if (condition === undefined || conditions.length > 1) return { test: null, body: nodes };
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const returning = returningOf(nodes);
  const tested = new Set([condition.name]);
  for (const name of tested) {
    for (const source of sources(byName.get(name) ?? condition)) {
      if (byName.has(source.name) && !returning.has(source.name)) tested.add(source.name);
    }
  }
  return {
    test: nodes.filter(({ name }) => tested.has(name)),
    body: nodes.filter(({ name }) => !tested.has(name)),
  };
}
