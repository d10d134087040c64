import { NetworkError } from '../network.js';
import type { Tensor } from '../tensors/tensor.js';
import type { DescribedValues } from './described-values.js';
import type { OnnxAttribute } from './schema.js';

/** Functions and graphs inside each other. */
const MAX_DEPTH = 64;

/** Names that operators of one graph see: its own and those of the graphs around it. */
export class Scope {
  private readonly own = new Map<string, Tensor>();

  constructor(
    readonly parent: Scope | null,
    readonly described: DescribedValues,
    /** Attributes of the call, in the body of a function. */
    readonly attributes: ReadonlyMap<string, OnnxAttribute> | null,
    readonly depth: number,
  ) {
    if (depth <= MAX_DEPTH) return;
    throw new NetworkError(
      'malformed',
      `Functions and graphs stand inside each other more than ${MAX_DEPTH} deep.`,
    );
  }

  get(name: string): Tensor | undefined {
    return this.own.get(name) ?? this.parent?.get(name);
  }

  set(name: string, value: Tensor): void {
    if (name !== '') this.own.set(name, value);
  }

  /** All names of this scope, for tests. */
  entries(): IterableIterator<[string, Tensor]> {
    return this.own.entries();
  }
}
