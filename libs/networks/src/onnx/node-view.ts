import { axisOf } from '../tensors/move.js';
import { UNKNOWN, type Tensor } from '../tensors/tensor.js';
import type { Windows } from '../tensors/windows.js';
import type { OnnxAttribute, OnnxGraph, OnnxNode } from './schema.js';
import { tensorOf } from './tensor-of.js';

/** An operator with its inputs and attributes read. */
export class NodeView {
  constructor(
    private readonly node: OnnxNode,
    private readonly inputs: readonly (Tensor | undefined)[],
    private readonly attributes: ReadonlyMap<string, OnnxAttribute>,
    /** Version of the operator set that the file asks for; null for one that it does not name. */
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

  /** What is known of an input; nothing of one that is left out. */
  input(at: number): Tensor {
    return this.inputs[at] ?? UNKNOWN;
  }

  hasInput(at: number): boolean {
    return (this.node.input[at] ?? '') !== '';
  }

  /** All inputs that are not left out. */
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

  /** Numbers that old versions of an operator have as attribute and new ones as input; null where they are not known. */
  intsOrInput(name: string, at: number): readonly number[] | null {
    return this.ints(name) ?? this.input(at).numbers;
  }

  /** Axes from 0 on; null where they are given and not known, `otherwise` where they are not given. */
  axes(rank: number, at: number, otherwise: readonly number[]): readonly number[] | null {
    const given = this.ints('axes');
    if (given === null && !this.hasInput(at)) return otherwise;
    return (given ?? this.input(at).numbers)?.map((axis) => axisOf(axis, rank)) ?? null;
  }

  /** Kernel, strides, dilations and padding of a convolution or pooling over that many axes. */
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
