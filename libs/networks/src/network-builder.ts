import { macs } from '@alphaflops/conv';
import type { Costable } from './geometry.js';
import { NetworkError, type Completeness, type Missing, type Network } from './network.js';
import type { NetworkFormat, NetworkLayer, NotCosted } from './network.js';
import type { Loss } from './tensors/tensor.js';

/** Large networks have some thousands of operators; models inside models can make them without end out of a small file. */
const MAX_OPERATORS = 100_000;

/** Of an operator that no reader knows. */
export const NOT_KNOWN = 'operator not known: it may multiply';

/** Collects what a reader finds, layer by layer. */
export class NetworkBuilder {
  private readonly layers: NetworkLayer[] = [];
  private readonly others = new Map<string, { -readonly [K in keyof NotCosted]: NotCosted[K] }>();
  private layersFound = 0;
  private firstLoss: Loss | null = null;

  /** Images at a time; null until the first input is known. */
  batch: number | null = null;

  constructor(private readonly visits = { operators: 0 }) {}

  /** @throws NetworkError `too-large` with the first operator that is one too many */
  visit(): void {
    this.visits.operators += 1;
    if (this.visits.operators <= MAX_OPERATORS) return;
    throw new NetworkError('too-large', `The network has more than ${MAX_OPERATORS} operators.`);
  }

  /** A layer that multiplies: with its cost, or with the reason why it has none and its multiply-adds where they are known. */
  costed(name: string, op: string, found: Costable, knownMacs: number | null = null): void {
    if ('reason' in found) {
      this.missing(op, found.reason, knownMacs);
      return;
    }
    this.layersFound += 1;
    this.layers.push({ name, op, ...found });
  }

  /** A layer that multiplies and has no cost; `lostAt` where a size that it needs was lost. */
  missing(op: string, reason: string, knownMacs: number | null = null, lostAt: Loss | null = null): void {
    this.layersFound += 1;
    this.firstLoss ??= lostAt;
    this.add(op, reason, knownMacs);
  }

  /** An operator of which no one here knows whether it multiplies. */
  notKnown(op: string, reason = NOT_KNOWN): void {
    this.add(op, reason, null);
  }

  /** Operators that do not multiply. */
  other(op: string, count = 1): void {
    this.add(op, null, null, count);
  }

  /** As many layers as a list of them says: `reason` is null for operators that do not multiply. */
  listed(op: string, reason: string | null, knownMacs: number | null, count: number): void {
    if (reason !== null) this.layersFound += count;
    this.add(op, reason, knownMacs, count);
  }

  private add(op: string, reason: string | null, knownMacs: number | null, count = 1): void {
    // Layers with known multiply-adds are kept apart from others.
    const key = `${op} ${reason ?? ''} ${knownMacs === null ? '' : 'known'}`;
    const counted = this.others.get(key) ?? { op, count: 0, reason, macs: knownMacs === null ? null : 0 };
    counted.count += count;
    if (knownMacs !== null) counted.macs = (counted.macs ?? 0) + knownMacs;
    this.others.set(key, counted);
  }

  /** An empty builder that counts visits together with this one: for a branch of which it is not yet known whether it counts. */
  fork(): NetworkBuilder {
    const fork = new NetworkBuilder(this.visits);
    fork.batch = this.batch;
    return fork;
  }

  /** Takes over what a fork has collected; `note` is added to its layers. */
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

  /** Whether something was found that multiplies, or may. */
  get hasProducts(): boolean {
    return this.layersFound > 0 || [...this.others.values()].some(({ reason }) => reason !== null);
  }

  /** Multiply-adds that are known, costed or not. */
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
