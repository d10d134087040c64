/** `small` is for a trial of a benchmark in seconds. Its figures have no meaning and are not stored. */
export type Scale = 'full' | 'small';

/**
 * A file of this folder exports a benchmark, and registry.ts lists it. A benchmark runs in a separate process,
 * measures both sides alternately (`interleave`), and stops everything that it has started.
 */
export interface Benchmark {
  /** A short description for `npm run bench -- --list`. */
  what: string;
  run: (scale: Scale) => Promise<Row[]>;
}

/** One row of the table in docs/benchmarks.md. */
export interface Row {
  what: string;
  /** The other side; null if `ours` itself is judged. */
  comparedWith: string | null;
  /** Unit of both sides: s, ms, MB, … */
  unit: string;
  /** One figure per round. */
  ours: number[];
  /** The figures of the other side, from the same rounds in the same order. */
  theirs: number[];
  /** The judged value: ours ÷ theirs, ours − theirs, or ours only. */
  judge: 'ratio' | 'difference' | 'ours';
  /** The maximum of the judged figure. */
  must: number;
  /** The goal for the maximum of the judged figure; null without a goal. */
  goal: number | null;
  /** Information that a reader needs to understand the row. */
  note?: string;
}
