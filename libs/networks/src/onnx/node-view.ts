import { axisOf } from '../tensors/move.js';
import { UNKNOWN, type Tensor } from '../tensors/tensor.js';
import type { Windows } from '../tensors/windows.js';
import type { OnnxAttribute, OnnxGraph, OnnxNode } from './schema.js';
import { tensorOf } from './tensor-of.js';

/** An operator with access to its inputs and attributes. */
export class NodeView {
  constructor(
    private readonly node: OnnxNode,
    private readonly inputs: readonly (Tensor | undefined)[],
    private readonly attributes: ReadonlyMap<string, OnnxAttribute>,
    /** The version of the operator set that the file requires; null if the file does not name the set. */
    readonly opset: number | null,
  ) {}

  get op(): string {
    return this.node.opType;
  }

  get name(): string {
    return this.node.name === '' ? (this.node.output[0] ?? this.node.opType) : this.node.name;
  }

  get inputCount(): number {
    return this.node.input.length;
  }

  get outputCount(): number {
    return this.node.output.length;
  }

  /** Returns the known properties of an input. An omitted input has none. */
  input(at: number): Tensor {
    return this.inputs[at] ?? UNKNOWN;
  }

  hasInput(at: number): boolean {
    return (this.node.input[at] ?? '') !== '';
  }

  /** Returns all inputs that are not omitted. */
  allInputs(): Tensor[] {
    return this.inputs.filter((_, at) => this.hasInput(at)).map((input) => input ?? UNKNOWN);
  }

  allAttributes(): Iterable<readonly [string, OnnxAttribute]> {
    return this.attributes;
  }

  has(name: string): boolean {
    return this.attributes.has(name);
  }

  int(name: string, otherwise: number): number {
    return this.attributes.get(name)?.i ?? otherwise;
  }

  float(name: string, otherwise: number): number {
    return this.attributes.get(name)?.f ?? otherwise;
  }

  ints(name: string): readonly number[] | null {
    return this.attributes.get(name)?.ints ?? null;
  }

  floats(name: string): readonly number[] | null {
    return this.attributes.get(name)?.floats ?? null;
  }

  text(name: string): string | null {
    const attribute = this.attributes.get(name);
    return attribute === undefined ? null : new TextDecoder().decode(attribute.s);
  }

  tensor(name: string): Tensor | null {
    const tensor = this.attributes.get(name)?.t;
    return tensor ? tensorOf(tensor) : null;
  }

  graph(name: string): OnnxGraph | null {
    return this.attributes.get(name)?.g ?? null;
  }

  /** Returns numbers that are an attribute in old versions of an operator and an input in new ones; null if unknown. */
  intsOrInput(name: string, at: number): readonly number[] | null {
    return this.ints(name) ?? this.input(at).numbers;
  }

  /** Returns axes, counted from 0. Returns null if they are set but unknown, and `otherwise` if they are not set. */
  axes(rank: number, at: number, otherwise: readonly number[]): readonly number[] | null {
    const given = this.ints('axes');
    if (given === null && !this.hasInput(at)) return otherwise;
    return (given ?? this.input(at).numbers)?.map((axis) => axisOf(axis, rank)) ?? null;
  }

  /** Returns kernel, strides, dilations and padding of a convolution or pooling with this number of axes. */
  windows(kernel: readonly number[]): Windows {
    const axes = kernel.length;
    const each = (name: string) => this.ints(name) ?? Array.from({ length: axes }, () => 1);
    return { kernel, strides: each('strides'), dilations: each('dilations'), pads: this.pads(axes) };
  }

  private pads(axes: number): Windows['pads'] {
    const auto = this.text('auto_pad') ?? 'NOTSET';
    if (auto.startsWith('SAME')) return 'same';
    const given = this.ints('pads');
    if (auto === 'VALID' || given === null) return 'valid';
    return { before: given.slice(0, axes), after: given.slice(axes) };
  }
}
