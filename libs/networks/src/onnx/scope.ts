import { NetworkError } from '../network.js';
import type { Tensor } from '../tensors/tensor.js';
import type { DescribedValues } from './described-values.js';
import type { OnnxAttribute } from './schema.js';

/** Maximum depth of nested functions and graphs. */
const MAX_DEPTH = 64;

/** The names that operators of one graph can read: those of the graph and of the graphs around it. */
export class Scope {
  private readonly own = new Map<string, Tensor>();

  constructor(
    readonly parent: Scope | null,
    readonly described: DescribedValues,
    /** In the body of a function: the attributes of the call. */
    readonly attributes: ReadonlyMap<string, OnnxAttribute> | null,
    readonly depth: number,
  ) {
    if (depth <= MAX_DEPTH) return;
    throw new NetworkError('malformed', `Functions and graphs are nested more than ${MAX_DEPTH} deep.`);
  }

  get(name: string): Tensor | undefined {
    return this.own.get(name) ?? this.parent?.get(name);
  }

  set(name: string, value: Tensor): void {
    if (name !== '') this.own.set(name, value);
  }

  /** Returns all names of this scope, for tests. */
  entries(): IterableIterator<[string, Tensor]> {
    return this.own.entries();
  }
}
