import type { StoreKind } from './stores.js';
import { Random } from './random.js';

/** Every kind of fault with its minimum and maximum duration, in ms. */
export const KINDS = {
  'executor-killed': [0, 0],
  'worker-killed': [1_000, 8_000],
  'coordinator-killed': [200, 5_000],
  'fitter-killed': [200, 5_000],
  'redis-killed': [200, 5_000],
  'store-killed': [200, 5_000],
  'store-stopped': [20_000, 20_000],
  // Longer than a worker's lock on its batch.
  'worker-frozen': [10_000, 14_000],
  'clock-jumped': [3_000, 8_000],
  'network-refused': [500, 8_000],
  'network-half-closed': [0, 0],
  'network-stalled': [500, 12_000],
  // Data is lost, and the connection stays open.
  'network-swallowed': [500, 8_000],
  'disk-full': [4_000, 8_000],
} as const satisfies Record<string, readonly [number, number]>;
export type FaultKind = keyof typeof KINDS;
export const ALL_KINDS = Object.keys(KINDS) as FaultKind[];

/**
 * Faults that a deployment on each store does not have: on SQLite those of the separate fitter and store, on MongoDB
 * those of the disk of the coordinator.
 */
export const ABSENT: Readonly<Record<StoreKind, readonly FaultKind[]>> = {
  sqlite: ['fitter-killed', 'store-killed'],
  mongodb: ['disk-full'],
};

export interface Fault {
  kind: FaultKind;
  /** Time after the first batches of the campaign were recorded. */
  atMs: number;
  lastsMs: number;
  /** 0 ≤ x < 1: which program, which link, how far a clock jumps. */
  choice: number;
}

/** The time without other faults after the first one, so that the measured recovery belongs to the first fault. */
const ALONE_MS = 15_000;

/**
 * The faults of one campaign: a killed worker, alone, and then `count − 1` others at random times within `spanMs`, every
 * kind as often as any other (give or take one).
 */
export function schedule(seed: number, count: number, spanMs: number, kinds: readonly FaultKind[]): Fault[] {
  const random = new Random(seed);
  const fault = (kind: FaultKind, atMs: number): Fault => {
    const [shortest, longest] = KINDS[kind];
    return { kind, atMs, lastsMs: random.between(shortest, longest), choice: random.next() };
  };
  const first = fault('worker-killed', random.between(1_500, 2_500));
  const from = first.atMs + ALONE_MS;
  const bag: FaultKind[] = [];
  while (bag.length < count - 1) bag.push(...random.shuffled(kinds));
  const others = bag.slice(0, count - 1).map((kind) => fault(kind, random.between(from, from + spanMs)));
  return [first, ...others.sort((a, b) => a.atMs - b.atMs)];
}

export function describeFault({ kind, atMs, lastsMs, choice }: Fault): string {
  return `${(atMs / 1000).toFixed(1)} s ${kind} for ${(lastsMs / 1000).toFixed(1)} s (choice ${choice.toFixed(3)})`;
}
