import { NOT_KNOWN, type NetworkBuilder } from '../network-builder.js';
import { NetworkError } from '../network.js';
import { kept, sized, UNKNOWN, type Tensor } from '../tensors/tensor.js';
import { knownDims, sourceOf, sources, typeOf, type GraphFunction, type GraphNode } from './graph.js';
import { returningOf, unitsInOrder, type Loop } from './loops.js';
import { NodeView } from './node-view.js';
import { ELEMENTWISE_RULES } from './rules/elementwise.js';
import { IMAGE_RULES } from './rules/images.js';
import { LIST_RULES } from './rules/lists.js';
import { PRODUCT_RULES } from './rules/products.js';
import type { Rule } from './rules/rule.js';
import { SIZE_RULES } from './rules/sizes.js';

const RULES: ReadonlyMap<string, Rule> = new Map([
  ...ELEMENTWISE_RULES,
  ...SIZE_RULES,
  ...IMAGE_RULES,
  ...LIST_RULES,
]);
/** Operators that only produce constants or sizes. Their cost is negligible. */
const BOOKKEEPING: ReadonlySet<string> = new Set(
  'Const Placeholder PlaceholderWithDefault Identity IdentityN NoOp Shape ShapeN Size Rank Pack StridedSlice'.split(
    ' ',
  ),
);
const UNKNOWN_RUNS = 'the number of iterations is unknown: counted once';
const HEAVIER_BRANCH = 'in one of two branches: the branch with more multiply-adds is costed';
/** Maximum depth of function calls. */
const MAX_DEPTH = 64;

export interface GraphContext {
  readonly functions: ReadonlyMap<string, GraphFunction>;
  /** The values of constants, by name. */
  readonly constants: ReadonlyMap<string, readonly number[]>;
}

/** Computes the sizes of all values of a graph, operator by operator, and collects its layers. */
export class GraphRun {
  private readonly values = new Map<string, readonly Tensor[]>();

  constructor(
    private readonly context: GraphContext,
    private readonly builder: NetworkBuilder,
    private readonly depth = 0,
  ) {
    if (depth <= MAX_DEPTH) return;
    throw new NetworkError(
      'malformed',
      `The function calls of this graph are nested more than ${MAX_DEPTH} deep.`,
    );
  }

  /** @throws NetworkError `malformed` for a graph with a cycle that is not a loop of TensorFlow */
  run(nodes: readonly GraphNode[], inputs: ReadonlyMap<string, Tensor>): void {
    for (const [name, value] of inputs) this.values.set(name, [value]);
    if (new Set(nodes.map(({ name }) => name)).size < nodes.length) {
      throw new NetworkError('malformed', 'This graph has two operators with the same name.');
    }
    for (const unit of unitsInOrder(nodes.filter(({ name }) => !inputs.has(name)))) {
      if (unit.loop === null) this.runAll(unit.nodes, this.builder);
      else this.runLoop(unit.nodes, unit.loop);
    }
  }

  private runAll(nodes: readonly GraphNode[], builder: NetworkBuilder): void {
    for (const node of nodes) this.values.set(node.name, this.node(node, builder));
  }

  /**
   * Runs a loop until its condition is false, if sizes and constants determine the condition. Otherwise runs it once.
   */
  private runLoop(nodes: readonly GraphNode[], { test, body }: Loop): void {
    const inside = this.builder.fork();
    const returning = returningOf(nodes);
    let carried: ReadonlyMap<string, Tensor> = new Map();
    const runStep = (step: readonly GraphNode[]): void => {
      for (const node of step) {
        this.values.set(node.name, this.passed(node, carried) ?? this.node(node, inside));
      }
    };
    for (;;) {
      runStep(test ?? []);
      const goesOn = this.value(test?.at(-1)?.name ?? '').numbers?.[0];
      if (goesOn === undefined) break;
      if (goesOn === 0) {
        runStep(body.filter(({ op }) => op === 'Switch' || op === 'Exit'));
        this.builder.absorb(inside, null);
        return;
      }
      runStep(body);
      carried = new Map([...returning].map((name) => [name, this.value(name)]));
    }
    const once = this.builder.fork();
    this.runAll(nodes, once);
    this.builder.absorb(once, null);
    if (once.hasProducts) this.builder.notKnown('LoopCond', UNKNOWN_RUNS);
  }

  /** Returns the value that passes through an operator of the control flow; null for other operators. */
  private passed(node: GraphNode, carried: ReadonlyMap<string, Tensor>): readonly Tensor[] | null {
    if (!['Enter', 'Exit', 'NextIteration', 'LoopCond', 'Switch', 'Merge'].includes(node.op)) return null;
    const [first, second] = sources(node);
    if (first === undefined) return null;
    if (node.op !== 'Merge') return [this.valueOf(first), this.valueOf(first)];
    const back = [first, second].find((source) => source !== undefined && carried.has(source.name));
    const value = back === undefined ? this.valueOf(first) : (carried.get(back.name) ?? UNKNOWN);
    return [{ ...value, isWeight: false }];
  }

  /** Returns a value by the name of its operator and the index of the output, `name:1`. */
  value(reference: string): Tensor {
    return this.valueOf(sourceOf(reference));
  }

  private valueOf({ name, output }: { name: string; output: number }): Tensor {
    const values = this.values.get(name);
    return values?.[output] ?? { ...UNKNOWN, lostAt: values?.[0]?.lostAt ?? null };
  }

  private node(node: GraphNode, builder: NetworkBuilder): readonly Tensor[] {
    builder.visit();
    const inputs = sources(node).map((source) => this.valueOf(source));
    const view = new NodeView(node, inputs);
    const lost = inputs.find(({ shape, lostAt }) => shape === null && lostAt !== null)?.lostAt;
    const lostAt = lost ?? { name: node.name, op: node.op };
    const isWeight = node.op === 'Const' || (inputs.length > 0 && inputs.every((input) => input.isWeight));
    const outputs = this.outputs(node, view, builder);
    const described = node.attr?.['_output_shapes']?.list?.shape ?? [];
    const count = Math.max(outputs.length, described.length, 1);
    return Array.from({ length: count }, (_, at) => {
      const value = kept({ ...(outputs[at] ?? UNKNOWN), isWeight });
      if (value.shape !== null) return value;
      const shape = knownDims(described[at] ?? undefined);
      return shape === null ? { ...value, lostAt } : { ...value, shape, lostAt: null };
    });
  }

  private outputs(node: GraphNode, view: NodeView, builder: NetworkBuilder): readonly Tensor[] {
    switch (node.op) {
      case 'Const':
        return [this.constant(node)];
      case 'While':
      case 'StatelessWhile':
        return this.loop(view, builder);
      case 'If':
      case 'StatelessIf':
        return this.branch(view, builder);
      case 'PartitionedCall':
      case 'StatefulPartitionedCall':
        return this.call(view.called('f'), view.inputs, builder) ?? [];
      // Loops and branches of version 1: each of these operators returns its input.
      case 'Enter':
      case 'Exit':
      case 'NextIteration':
      case 'LoopCond':
        return [changing(view.input(0))];
      case 'Switch':
        return [changing(view.input(0)), changing(view.input(0))];
      case 'Merge':
        return [changing(view.inputs.find(({ shape }) => shape !== null) ?? UNKNOWN)];
      default:
    }
    const product = PRODUCT_RULES.get(node.op);
    if (product !== undefined) return product(view, builder);
    const rule = RULES.get(node.op);
    if (rule === undefined) builder.notKnown(node.op, NOT_KNOWN);
    else if (!BOOKKEEPING.has(node.op)) builder.other(node.op);
    return rule?.(view) ?? [];
  }

  private constant(node: GraphNode): Tensor {
    const tensor = node.attr?.['value']?.tensor;
    const shape = knownDims(tensor?.tensorShape);
    const type = typeOf(tensor?.dtype ?? node.attr?.['dtype']?.type);
    return { ...sized(shape, type), numbers: this.context.constants.get(node.name) ?? null, isWeight: true };
  }

  /** Returns the outputs of a function for these inputs; null when the function does not exist. */
  private call(
    name: string | null,
    inputs: readonly Tensor[],
    builder: NetworkBuilder,
  ): readonly Tensor[] | null {
    const called = this.context.functions.get(name ?? '');
    if (called === undefined) return null;
    const inside = new GraphRun(this.context, builder, this.depth + 1);
    const given = new Map(
      (called.signature.inputArg ?? []).map((arg, at) => [arg.name, inputs[at] ?? UNKNOWN]),
    );
    inside.run(called.nodeDef ?? [], given);
    return (called.signature.outputArg ?? []).map((arg) => inside.value(called.ret?.[arg.name] ?? ''));
  }

  /** Runs a While until its condition is false, if sizes and constants determine the condition. */
  private loop(view: NodeView, builder: NetworkBuilder): readonly Tensor[] {
    const [condition, body] = [view.called('cond'), view.called('body')];
    const inside = builder.fork();
    let values = view.inputs;
    for (;;) {
      inside.visit();
      const goesOn = this.call(condition, values, inside)?.[0]?.numbers?.[0];
      if (goesOn === undefined) break;
      if (goesOn === 0) {
        builder.absorb(inside, null);
        return values;
      }
      values = this.call(body, values, inside) ?? [];
    }
    const once = builder.fork();
    const after = this.call(body, view.inputs.map(changing), once) ?? [];
    builder.absorb(once, null);
    if (once.hasProducts) builder.notKnown(view.op, UNKNOWN_RUNS);
    return view.inputs.map((before, at) => common(before, after[at]));
  }

  private branch(view: NodeView, builder: NetworkBuilder): readonly Tensor[] {
    const condition = view.input(0).numbers?.[0];
    const inputs = view.inputs.slice(1);
    const [whenTrue, whenFalse] = [view.called('then_branch'), view.called('else_branch')];
    if (condition !== undefined)
      return this.call(condition === 0 ? whenFalse : whenTrue, inputs, builder) ?? [];
    const [first, second] = [builder.fork(), builder.fork()];
    const ofTrue = this.call(whenTrue, inputs, first) ?? [];
    const ofFalse = this.call(whenFalse, inputs, second) ?? [];
    const isSame = first.knownMacs === second.knownMacs;
    builder.absorb(first.knownMacs >= second.knownMacs ? first : second, isSame ? null : HEAVIER_BRANCH);
    return ofTrue.map((value, at) => common(value, ofFalse[at]));
  }
}

/** Returns a value whose numbers change from iteration to iteration. */
function changing(x: Tensor): Tensor {
  return { ...x, numbers: null };
}

/** Returns the properties that two values have in common. */
function common(a: Tensor, b: Tensor | undefined): Tensor {
  const isSame = a.shape !== null && b?.shape?.join() === a.shape.join();
  return isSame ? changing(a) : { ...UNKNOWN, type: a.type };
}
