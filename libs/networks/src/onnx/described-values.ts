import { UNKNOWN, type Tensor } from '../tensors/tensor.js';
import type { OnnxGraph, OnnxValueInfo } from './schema.js';
import { elementType } from './tensor-of.js';

/**
 * The sizes that the file records for values inside the network. They are used if the rule of an operator cannot
 * compute them.
 */
export class DescribedValues {
  static readonly NONE = new DescribedValues([], new Map());
  private readonly byName: ReadonlyMap<string, OnnxValueInfo>;

  constructor(
    values: readonly OnnxValueInfo[],
    /** Sizes of named axes, from the inputs. */
    private readonly named: ReadonlyMap<string, number>,
  ) {
    this.byName = new Map(values.map((value) => [value.name, value]));
  }

  static of({ valueInfo, output }: OnnxGraph, named: ReadonlyMap<string, number>): DescribedValues {
    return new DescribedValues([...valueInfo, ...output], named);
  }

  inGraph(graph: OnnxGraph): DescribedValues {
    return DescribedValues.of(graph, this.named);
  }

  /** Returns the shape and the type of a value; null if the file leaves an axis open. */
  get(name: string): Pick<Tensor, 'shape' | 'type' | 'lostAt'> | null {
    const tensor = this.byName.get(name)?.type?.tensorType;
    if (!tensor?.shape) return null;
    const sizes = tensor.shape.dim.map(({ dimValue, dimParam }) =>
      dimValue > 0 ? dimValue : (this.named.get(dimParam) ?? null),
    );
    const shape = sizes.filter((size) => size !== null);
    if (shape.length < sizes.length) return null;
    return { shape, type: elementType(tensor.elemType), lostAt: UNKNOWN.lostAt };
  }
}
