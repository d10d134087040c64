import type { NetworkBuilder } from '../network-builder.js';
import { NetworkError } from '../network.js';
import { inOrder } from '../order.js';
import { kept, UNKNOWN, type Loss, type Tensor } from '../tensors/tensor.js';
import { runControlFlow, type GraphRunner } from './control-flow.js';
import { NodeView } from './node-view.js';
import { BOOKKEEPING, OPERATOR_SETS } from './registry.js';
import type { OnnxAttribute, OnnxFunction, OnnxGraph, OnnxModel, OnnxNode } from './schema.js';
import { tensorOf } from './tensor-of.js';
import { DescribedValues } from './described-values.js';
import { Scope } from './scope.js';

/** Computes the sizes of all values of a model, operator by operator, and collects its layers. */
export class Evaluator implements GraphRunner {
  private readonly functions: ReadonlyMap<string, OnnxFunction>;
  private readonly opsets: ReadonlyMap<string, number>;

  constructor(
    model: OnnxModel,
    readonly builder: NetworkBuilder,
  ) {
    this.functions = new Map(
      model.functions.map((each) => [`${each.domain}:${each.name}:${each.overload}`, each]),
    );
    this.opsets = new Map(model.opsetImport.map(({ domain, version }) => [domain, version]));
  }

  /** Returns the same model with another builder. */
  collecting(builder: NetworkBuilder): Evaluator {
    return Object.assign(Object.create(Evaluator.prototype) as Evaluator, this, { builder });
  }

  /** Evaluates the weights and operators of a graph. Its inputs must be in the scope. */
  runGraph(graph: OnnxGraph, scope: Scope): void {
    for (const tensor of graph.initializer) scope.set(tensor.name, tensorOf(tensor));
    for (const { values, dims } of graph.sparseInitializer) {
      if (values !== null) scope.set(values.name, { ...tensorOf(values), shape: dims, numbers: null });
    }
    this.runNodes(graph.node, scope);
  }

  private runNodes(nodes: readonly OnnxNode[], scope: Scope): void {
    const ordered = inOrder(nodes, ({ output }) => output.filter((name) => name !== ''), readBy);
    if (ordered === null) throw new NetworkError('malformed', 'This graph has a cycle.');
    for (const node of ordered) this.runNode(node, scope);
  }

  private runNode(node: OnnxNode, scope: Scope): void {
    this.builder.visit();
    const inputs = node.input.map((name) => (name === '' ? undefined : scope.get(name)));
    const view = new NodeView(node, inputs, attributesOf(node, scope), this.opsets.get(node.domain) ?? null);
    const outputs = this.outputsOf(node, view, scope);
    const isWeight = view.inputCount > 0 && view.allInputs().every((input) => input.isWeight);
    const loss = lossOf(view);
    node.output.forEach((name, at) => {
      const found = kept(outputs[at] ?? UNKNOWN);
      const value: Tensor = { ...found, isWeight: isWeight || (node.input.length === 0 && found.isWeight) };
      const described = value.shape === null ? scope.described.get(name) : null;
      if (described) scope.set(name, { ...value, ...described });
      else scope.set(name, value.shape === null ? { ...value, lostAt: value.lostAt ?? loss } : value);
    });
  }

  private outputsOf(node: OnnxNode, view: NodeView, scope: Scope): readonly Tensor[] {
    const own = this.functions.get(`${node.domain}:${node.opType}:${node.overload}`);
    if (own !== undefined) return this.call(own, view, scope);
    const operators = OPERATOR_SETS.get(node.domain);
    const controlled = operators === undefined ? null : runControlFlow(this, view, scope);
    if (controlled !== null) return controlled;
    const product = operators?.products.get(node.opType);
    if (product !== undefined) return product(view, this.builder);
    const rule = operators?.others.get(node.opType);
    if (rule === undefined) {
      this.builder.notKnown(node.domain === '' ? node.opType : `${node.domain}.${node.opType}`);
      return [];
    }
    if (!BOOKKEEPING.has(node.opType)) this.builder.other(node.opType);
    return rule(view);
  }

  /** Evaluates a function of the model. Its operators count as operators of the model. */
  private call(own: OnnxFunction, view: NodeView, scope: Scope): Tensor[] {
    const given = view.allAttributes();
    const attributes = new Map([...own.attributeProto.map((each) => [each.name, each] as const), ...given]);
    const inner = new Scope(null, DescribedValues.NONE, attributes, scope.depth + 1);
    own.input.forEach((name, at) => {
      if (view.hasInput(at)) inner.set(name, view.input(at));
    });
    this.runNodes(own.node, inner);
    return own.output.map((name) => inner.get(name) ?? UNKNOWN);
  }
}

/** Returns the names that an operator reads, including those inside its graphs. */
function readBy(node: OnnxNode): string[] {
  const inside = node.attribute.flatMap(({ g }) => (g === null ? [] : g.node.flatMap(readBy)));
  const results = node.attribute.flatMap(({ g }) => g?.output.map(({ name }) => name) ?? []);
  return [...node.input, ...inside, ...results];
}

function attributesOf(node: OnnxNode, { attributes }: Scope): ReadonlyMap<string, OnnxAttribute> {
  const pairs = node.attribute.flatMap((attribute): [string, OnnxAttribute][] => {
    if (attribute.refAttrName === '') return [[attribute.name, attribute]];
    const given = attributes?.get(attribute.refAttrName);
    return given === undefined ? [] : [[attribute.name, given]];
  });
  return new Map(pairs);
}

/** Returns where the size of an operator's output was lost: at an earlier operator or at this one. */
function lossOf(view: NodeView): Loss {
  const before = view.allInputs().find(({ shape, lostAt }) => shape === null && lostAt !== null)?.lostAt;
  return before ?? { name: view.name, op: view.op };
}
