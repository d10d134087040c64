import type { Row } from './benchmark.js';

/** @param values at least one */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The value that a share `q` of `values` does not exceed (nearest rank). */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}

/** Runs both sides alternately, so that both have the same conditions. The other side is first in every second round. */
export async function interleave(
  rounds: number,
  sides: Record<'ours' | 'theirs', (round: number) => Promise<number>>,
): Promise<{ ours: number[]; theirs: number[] }> {
  const figures = { ours: [] as number[], theirs: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    const order = round % 2 === 0 ? (['ours', 'theirs'] as const) : (['theirs', 'ours'] as const);
    for (const side of order) figures[side].push(await sides[side](round));
  }
  return figures;
}

/** Seconds that `act` took. */
export async function seconds(act: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await act();
  return (performance.now() - start) / 1000;
}

export interface Judgement {
  /** Median over the rounds; of a ratio or difference, of those of each round. */
  value: number;
  /** Smallest and largest of the rounds. */
  range: [number, number];
  verdict: 'goal' | 'must' | 'missed';
}

export function judge({ ours, theirs, judge: by, must, goal }: Row): Judgement {
  const each = ours.map((figure, round) => {
    const other = theirs[round] ?? Number.NaN;
    return by === 'ours' ? figure : by === 'ratio' ? figure / other : figure - other;
  });
  const value = median(each);
  const verdict = goal !== null && value <= goal ? 'goal' : value <= must ? 'must' : 'missed';
  return { value, range: [Math.min(...each), Math.max(...each)], verdict };
}
