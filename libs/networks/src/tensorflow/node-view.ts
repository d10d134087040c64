import { UNKNOWN, type ElementType, type Tensor } from '../tensors/tensor.js';
import { typeOf, type GraphNode } from './graph.js';

/** An operator of a TensorFlow graph with access to its inputs. */
export class NodeView {
  constructor(
    private readonly node: GraphNode,
    readonly inputs: readonly Tensor[],
  ) {}

  get name(): string {
    return this.node.name;
  }

  get op(): string {
    return this.node.op;
  }

  input(at: number): Tensor {
    return this.inputs[at] ?? UNKNOWN;
  }

  /** Returns the numbers of an input; null if they are unknown. */
  numbers(at: number): readonly number[] | null {
    return this.input(at).numbers;
  }

  int(name: string, otherwise: number): number {
    return this.node.attr?.[name]?.i ?? otherwise;
  }

  ints(name: string): readonly number[] {
    return this.node.attr?.[name]?.list?.i ?? [];
  }

  text(name: string): string | null {
    return this.node.attr?.[name]?.s ?? null;
  }

  is(name: string): boolean {
    return this.node.attr?.[name]?.b === true;
  }

  type(name: string): ElementType | null {
    return typeOf(this.node.attr?.[name]?.type);
  }

  /** Returns the name of a function. */
  called(name: string): string | null {
    return this.node.attr?.[name]?.func?.name ?? null;
  }

  get isChannelsFirst(): boolean {
    return (this.text('data_format') ?? 'NHWC').startsWith('NC');
  }

  /** Returns the numbers of the spatial axes from a list with one number per axis; 1 if the list is omitted. */
  spatial(name: string, axes: number): number[] {
    const given = this.ints(name);
    const at = this.isChannelsFirst ? 2 : 1;
    return Array.from({ length: axes }, (_, axis) => given[at + axis] ?? 1);
  }
}
