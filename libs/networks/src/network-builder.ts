import type { Costable } from './geometry.js';
import { NetworkError, type Network, type NetworkFormat, type NetworkLayer } from './network.js';

/** Large networks have some thousands of operators; models inside models can make them without end out of a small file. */
const MOST_OPERATORS = 100_000;

/** Collects what a reader finds, layer by layer. */
export class NetworkBuilder {
  private readonly layers: NetworkLayer[] = [];
  private readonly others = new Map<string, { op: string; count: number; reason: string | null }>();

  /** Images at a time; null until the first input is known. */
  batch: number | null = null;

  private operators = 0;

  /** @throws NetworkError `too-large` with the first operator that is one too many */
  visit(): void {
    this.operators += 1;
    if (this.operators <= MOST_OPERATORS) return;
    throw new NetworkError('too-large', `The network has more than ${MOST_OPERATORS} operators.`);
  }

  costed(name: string, op: string, found: Costable): void {
    if ('reason' in found) this.notCosted(op, found.reason);
    else this.layers.push({ name, op, ...found });
  }

  notCosted(op: string, reason: string | null = null, count = 1): void {
    const key = `${op} ${reason ?? ''}`;
    const counted = this.others.get(key) ?? { op, count: 0, reason };
    counted.count += count;
    this.others.set(key, counted);
  }

  build(format: NetworkFormat, name: string | null): Network {
    return {
      ...{ format, name, batch: this.batch ?? 1, layers: this.layers },
      notCosted: [...this.others.values()],
    };
  }
}
