/** `small` is for trying a benchmark out in seconds: its figures mean nothing and are not kept. */
export type Scale = 'full' | 'small';

/**
 * One file of this folder exports one of these, and registry.ts names it. It runs in a process of its own, measures both
 * sides alternately (`interleave`), and stops what it has started.
 */
export interface Benchmark {
  /** What is measured, in a few words, for `npm run bench -- --list`. */
  what: string;
  run: (scale: Scale) => Promise<Row[]>;
}

/** One row of the table in docs/benchmarks.md. */
export interface Row {
  what: string;
  /** The other side; null where `ours` itself is judged. */
  comparedWith: string | null;
  /** Unit of both sides: s, ms, MB, … */
  unit: string;
  /** One figure per round. */
  ours: number[];
  /** The other side's, of the same rounds in the same order. */
  theirs: number[];
  /** What the bounds are for: ours ÷ theirs, ours − theirs, or ours alone. */
  judge: 'ratio' | 'difference' | 'ours';
  /** The judged figure may be this at most. */
  must: number;
  /** … and should be this at most; null where there is no such wish. */
  goal: number | null;
  /** What a reader has to know to read the row right. */
  note?: string;
}
