import type { Pair, Pads } from '../geometry.js';
import { toNumber, type OnnxNode } from './message.js';
import { UNKNOWN, valueOf, type Value } from './value.js';

/** An operator with its inputs and attributes read. */
export class NodeView {
  private readonly attributes: ReadonlyMap<string, OnnxNode['attribute'][number]>;

  constructor(
    private readonly node: OnnxNode,
    private readonly inputs: readonly (Value | undefined)[],
  ) {
    this.attributes = new Map(node.attribute.map((attribute) => [attribute.name, attribute]));
  }

  get op(): string {
    return this.node.opType;
  }

  get inputCount(): number {
    return this.node.input.length;
  }

  get outputCount(): number {
    return this.node.output.length;
  }

  /** What is known of an input; nothing of one that is left out. */
  input(at: number): Value {
    return this.inputs[at] ?? UNKNOWN;
  }

  int(name: string, otherwise: number): number {
    const attribute = this.attributes.get(name);
    return attribute === undefined ? otherwise : toNumber(attribute.i);
  }

  ints(name: string): readonly number[] | null {
    const attribute = this.attributes.get(name);
    return attribute === undefined ? null : attribute.ints.map(toNumber);
  }

  text(name: string): string | null {
    const attribute = this.attributes.get(name);
    return attribute === undefined ? null : new TextDecoder().decode(attribute.s);
  }

  tensor(name: string): Value | null {
    const tensor = this.attributes.get(name)?.t;
    return tensor ? valueOf(tensor) : null;
  }

  /** Numbers that old versions of an operator have as attribute and new ones as input. */
  intsOrInput(name: string, at: number): readonly number[] | null {
    return this.ints(name) ?? this.input(at).numbers;
  }

  /** One number for each of one or two spatial axes; a missing first axis is that of a 1-D operator. */
  pair(name: string, otherwise: number): Pair {
    return asPair(this.ints(name) ?? [], otherwise);
  }

  pads(spatialAxes: number): Pads {
    const auto = this.text('auto_pad') ?? 'NOTSET';
    if (auto.startsWith('SAME')) return 'same';
    if (auto === 'VALID') return 'valid';
    const given = this.ints('pads');
    if (given === null) return 'valid';
    const [before, after] = [given.slice(0, spatialAxes), given.slice(spatialAxes)];
    return [...asPair(before, 0), ...asPair(after, 0)];
  }
}

/** Sizes along height and width: one-dimensional operators work on one row. */
export function asPair(sizes: readonly number[], missing: number): Pair {
  const [first = missing, second] = sizes;
  return second === undefined && sizes.length === 1 ? [missing, first] : [first, second ?? missing];
}
