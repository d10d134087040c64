import { macs } from '@alphaflops/conv';
import type { Costable } from './geometry.js';
import { NetworkError, type Completeness, type Missing, type Network } from './network.js';
import type { NetworkFormat, NetworkLayer, NotCosted } from './network.js';
import type { Loss } from './tensors/tensor.js';

/** Large networks have some thousands of operators. Nested models can produce any number of them from a small file. */
const MAX_OPERATORS = 100_000;

/** The reason for an operator that no reader knows. */
export const NOT_KNOWN = 'unknown operator, which may multiply';

/** Collects the layers that a reader finds. */
export class NetworkBuilder {
  private readonly layers: NetworkLayer[] = [];
  private readonly others = new Map<string, { -readonly [K in keyof NotCosted]: NotCosted[K] }>();
  private layersFound = 0;
  private firstLoss: Loss | null = null;

  /** Images per batch; null until the first input is known. */
  batch: number | null = null;

  constructor(private readonly visits = { operators: 0 }) {}

  /** @throws NetworkError `too-large` at the first operator above the limit */
  visit(): void {
    this.visits.operators += 1;
    if (this.visits.operators <= MAX_OPERATORS) return;
    throw new NetworkError('too-large', `The network has more than ${MAX_OPERATORS} operators.`);
  }

  /**
   * Adds a layer that multiplies, with its cost. Or with the reason why it has no cost, and its multiply-adds if
   * known.
   */
  costed(name: string, op: string, found: Costable, knownMacs: number | null = null): void {
    if ('reason' in found) {
      this.missing(op, found.reason, knownMacs);
      return;
    }
    this.layersFound += 1;
    this.layers.push({ name, op, ...found });
  }

  /** Adds a layer that multiplies and has no cost. `lostAt` is where a size that it needs was lost. */
  missing(op: string, reason: string, knownMacs: number | null = null, lostAt: Loss | null = null): void {
    this.layersFound += 1;
    this.firstLoss ??= lostAt;
    this.add(op, reason, knownMacs);
  }

  /** Adds an unknown operator, which may multiply. */
  notKnown(op: string, reason = NOT_KNOWN): void {
    this.add(op, reason, null);
  }

  /** Adds an operator that does not multiply. */
  other(op: string, count = 1): void {
    this.add(op, null, null, count);
  }

  /** Adds `count` layers of a list of layers. `reason` is null for operators that do not multiply. */
  listed(op: string, reason: string | null, knownMacs: number | null, count: number): void {
    if (reason !== null) this.layersFound += count;
    this.add(op, reason, knownMacs, count);
  }

  private add(op: string, reason: string | null, knownMacs: number | null, count = 1): void {
    // Layers with known multiply-adds are counted separately.
    const key = `${op} ${reason ?? ''} ${knownMacs === null ? '' : 'known'}`;
    const counted = this.others.get(key) ?? { op, count: 0, reason, macs: knownMacs === null ? null : 0 };
    counted.count += count;
    if (knownMacs !== null) counted.macs = (counted.macs ?? 0) + knownMacs;
    this.others.set(key, counted);
  }

  /** Returns an empty builder that shares the count of visits. Use it for a branch that may not count. */
  fork(): NetworkBuilder {
    const fork = new NetworkBuilder(this.visits);
    fork.batch = this.batch;
    return fork;
  }

  /** Adds the layers of a fork, each with `note`. */
  absorb(fork: NetworkBuilder, note: string | null): void {
    for (const layer of fork.layers) {
      const notes = [layer.note, note].filter((each) => each !== null);
      this.layers.push({ ...layer, note: notes.length === 0 ? null : notes.join('; ') });
    }
    this.layersFound += fork.layersFound;
    this.firstLoss ??= fork.firstLoss;
    for (const { op, reason, macs: known, count } of fork.others.values()) {
      this.add(op, reason, known, count);
    }
  }

  /** Whether the builder has a layer that multiplies or may multiply. */
  get hasProducts(): boolean {
    return this.layersFound > 0 || [...this.others.values()].some(({ reason }) => reason !== null);
  }

  /** The sum of all known multiply-adds, costed or not. */
  get knownMacs(): number {
    return this.costedMacs + sum([...this.others.values()].map(({ macs: known }) => known ?? 0));
  }

  private get costedMacs(): number {
    return sum(this.layers.map(({ spec }) => macs(spec)));
  }

  build(format: NetworkFormat, name: string | null): Network {
    return {
      ...{ format, name, batch: this.batch ?? 1, layers: this.layers },
      notCosted: [...this.others.values()],
      completeness: this.completeness(),
    };
  }

  private completeness(): Completeness {
    const missing = [...this.others.values()].filter((each): each is Missing => each.reason !== null);
    const missingMacs = sum(missing.map(({ macs: known }) => known ?? 0));
    const all = missingMacs + this.costedMacs;
    const isUnknown = missing.length > 0 && missingMacs === 0;
    return {
      isComplete: missing.length === 0,
      layersFound: this.layersFound,
      layersCosted: this.layers.length,
      missing,
      missingMacs,
      missingShare: isUnknown ? null : all === 0 ? 0 : missingMacs / all,
      firstLoss: missing.length === 0 ? null : this.firstLoss,
    };
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}
