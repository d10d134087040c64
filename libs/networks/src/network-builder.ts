import type { Costable } from './geometry.js';
import type { Network, NetworkFormat, NetworkLayer } from './network.js';

/** Collects what a reader finds, layer by layer. */
export class NetworkBuilder {
  private readonly layers: NetworkLayer[] = [];
  private readonly others = new Map<string, { op: string; count: number; reason: string | null }>();

  costed(name: string, op: string, found: Costable): void {
    if ('reason' in found) this.notCosted(op, found.reason);
    else this.layers.push({ name, op, ...found });
  }

  notCosted(op: string, reason: string | null = null): void {
    const key = `${op} ${reason ?? ''}`;
    const counted = this.others.get(key) ?? { op, count: 0, reason };
    counted.count += 1;
    this.others.set(key, counted);
  }

  build(format: NetworkFormat, name: string | null): Network {
    return { format, name, layers: this.layers, notCosted: [...this.others.values()] };
  }
}
