import { joinedAlong, axisOf } from '../tensors/move.js';
import { integers, UNKNOWN, type Tensor } from '../tensors/tensor.js';
import type { NetworkBuilder } from '../network-builder.js';
import type { NodeView } from './node-view.js';
import type { OnnxGraph } from './schema.js';
import { Scope } from './scope.js';

/** Runs the graphs inside operators. */
export interface GraphRunner {
  /** Collects the layers. */
  readonly builder: NetworkBuilder;
  /** Returns the same runner with another builder. */
  collecting(builder: NetworkBuilder): GraphRunner;
  runGraph(graph: OnnxGraph, scope: Scope): void;
}

const HEAVIER_BRANCH = 'in one of two branches: the branch with more multiply-adds is costed';
const UNKNOWN_RUNS = 'the number of iterations is unknown: counted once';

/**
 * Runs If, Loop and Scan: returns their outputs, and adds the inner layers once per iteration. Returns null for other
 * operators.
 */
export function runControlFlow(run: GraphRunner, node: NodeView, scope: Scope): readonly Tensor[] | null {
  switch (node.op) {
    case 'If':
      return branch(run, node, scope);
    case 'Loop':
      return loop(run, node, scope);
    case 'Scan':
      return scan(run, node, scope);
    default:
      return null;
  }
}

function runBody(run: GraphRunner, graph: OnnxGraph, scope: Scope, inputs: readonly Tensor[]): Tensor[] {
  const inner = new Scope(scope, scope.described.inGraph(graph), scope.attributes, scope.depth + 1);
  graph.input.forEach(({ name }, at) => {
    inner.set(name, inputs[at] ?? UNKNOWN);
  });
  run.runGraph(graph, inner);
  return graph.output.map(({ name }) => inner.get(name) ?? UNKNOWN);
}

function branch(run: GraphRunner, node: NodeView, scope: Scope): Tensor[] {
  const [whenTrue, whenFalse] = [node.graph('then_branch'), node.graph('else_branch')];
  const condition = node.input(0).numbers?.[0];
  const outputs = (graph: OnnxGraph | null, by: GraphRunner) =>
    graph === null ? [] : runBody(by, graph, scope, []);
  if (condition !== undefined) return outputs(condition === 0 ? whenFalse : whenTrue, run);
  const [first, second] = [run.builder.fork(), run.builder.fork()];
  const ofTrue = outputs(whenTrue, run.collecting(first));
  const ofFalse = outputs(whenFalse, run.collecting(second));
  const isSame = first.knownMacs === second.knownMacs;
  run.builder.absorb(first.knownMacs >= second.knownMacs ? first : second, isSame ? null : HEAVIER_BRANCH);
  return ofTrue.map((value, at) => common(value, ofFalse[at]));
}

/** Returns the properties that both branches have in common. */
function common(a: Tensor, b: Tensor | undefined): Tensor {
  const isSame = a.shape !== null && b?.shape?.join() === a.shape.join();
  return isSame ? { ...a, numbers: null, isWeight: false } : { ...UNKNOWN, type: a.type };
}

/**
 * Inputs: maximum number of iterations, condition, carried values. Body: iteration, condition, carried values →
 * condition, carried values, collected values.
 */
function loop(run: GraphRunner, node: NodeView, scope: Scope): Tensor[] {
  const body = node.graph('body');
  if (body === null) return [];
  const carriedCount = node.inputCount - 2;
  let carried: Tensor[] = Array.from({ length: carriedCount }, (_, at) => ({
    ...node.input(at + 2),
    isWeight: false,
  }));
  let condition: Tensor = node.hasInput(1) ? node.input(1) : { ...integers([1], true), type: 'bool' };
  const most = node.hasInput(0) ? node.input(0).numbers?.[0] : Infinity;
  if (most === undefined) return repeatedOnce(run, node, scope, body);
  const inside = run.builder.fork();
  const collected: Tensor[][] = [];
  for (let at = 0; at < most && condition.numbers?.[0] !== 0; at++) {
    if (condition.numbers === null) return repeatedOnce(run, node, scope, body);
    inside.visit();
    const inputs = [integers([at], true), condition, ...carried];
    const [next = UNKNOWN, ...outputs] = runBody(run.collecting(inside), body, scope, inputs);
    condition = next;
    carried = outputs.slice(0, carriedCount);
    collected.push(outputs.slice(carriedCount));
  }
  run.builder.absorb(inside, null);
  return [...carried, ...stacked(collected, node.outputCount - carriedCount, 0)];
}

/** A loop that ends by its condition. Carried values keep their sizes if one iteration does not change the sizes. */
function repeatedOnce(run: GraphRunner, node: NodeView, scope: Scope, body: OnnxGraph): Tensor[] {
  const carried = Array.from({ length: node.inputCount - 2 }, (_, at) => ({
    ...node.input(at + 2),
    ...{ numbers: null, isWeight: false },
  }));
  const outputs = countedOnce(run, node, scope, body, [integers([], true), UNKNOWN, ...carried]);
  return carried.map((before, at) => common(before, outputs[at + 1]));
}

function countedOnce(
  run: GraphRunner,
  node: NodeView,
  scope: Scope,
  body: OnnxGraph,
  inputs: readonly Tensor[],
): Tensor[] {
  const inside = run.builder.fork();
  const outputs = runBody(run.collecting(inside), body, scope, inputs);
  run.builder.absorb(inside, null);
  if (inside.hasProducts) run.builder.notKnown(node.op, UNKNOWN_RUNS);
  return outputs;
}

/** Adds an axis for the iterations. */
function stacked(collected: readonly (readonly Tensor[])[], count: number, axis: number): Tensor[] {
  return Array.from({ length: count }, (_, at) => {
    const parts = collected.map((values) => {
      const value = values[at] ?? UNKNOWN;
      if (value.shape === null) return value;
      const along = axisOf(axis, value.shape.length + 1);
      return { ...value, shape: [...value.shape.slice(0, along), 1, ...value.shape.slice(along)] };
    });
    return joinedAlong(parts, axis) ?? UNKNOWN;
  });
}

/** Inputs: carried values, then sequences. Each iteration reads one element of each sequence. */
function scan(run: GraphRunner, node: NodeView, scope: Scope): Tensor[] {
  const body = node.graph('body');
  if (body === null) return [];
  const sequences = node.int('num_scan_inputs', 1);
  const carriedCount = node.inputCount - sequences;
  // Each iteration computes the state again, also if its initial value is a constant.
  let carried: Tensor[] = Array.from({ length: carriedCount }, (_, at) => ({
    ...node.input(at),
    isWeight: false,
  }));
  const axes = node.ints('scan_input_axes') ?? [];
  const elements = Array.from({ length: sequences }, (_, at): [number | null, Tensor] => {
    const sequence = node.input(carriedCount + at);
    if (sequence.shape === null) return [null, UNKNOWN];
    const axis = axisOf(axes[at] ?? 0, sequence.shape.length);
    const shape = sequence.shape.filter((_, other) => other !== axis);
    return [sequence.shape[axis] ?? 0, { ...sequence, shape, numbers: null, isWeight: false }];
  });
  const runs = elements[0]?.[0] ?? null;
  // In version 8, the first input holds the lengths, and the sequences have a batch axis.
  if (runs === null || node.opset === 8) {
    countedOnce(run, node, scope, body, []);
    return [];
  }
  const collected: Tensor[][] = [];
  for (let at = 0; at < runs; at++) {
    run.builder.visit();
    const outputs = runBody(run, body, scope, [...carried, ...elements.map(([, element]) => element)]);
    carried = outputs.slice(0, carriedCount);
    collected.push(outputs.slice(carriedCount));
  }
  const outputAxes = node.ints('scan_output_axes') ?? [];
  const results = Array.from({ length: node.outputCount - carriedCount }, (_, at) => {
    const one = collected.map((values) => [values[at] ?? UNKNOWN]);
    return stacked(one, 1, outputAxes[at] ?? 0)[0] ?? UNKNOWN;
  });
  return [...carried, ...results];
}
