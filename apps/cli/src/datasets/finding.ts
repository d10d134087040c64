import type { DatasetError } from '@alphaflops/dataset';

/** One problem of a data set. */
export interface Finding {
  readonly code: string;
  readonly file: string;
  /** Counted from 1; null if the finding has no single line. */
  readonly line: number | null;
  readonly column: string | null;
  readonly message: string;
}

/** Further findings of the same kind are counted, not listed. */
const MAX_OF_A_KIND = 20;

/** Collects findings, and lists the first ones of each kind. */
export class Findings {
  private readonly listed: Finding[] = [];
  private readonly counts = new Map<string, number>();

  add(...findings: readonly Finding[]): void {
    for (const finding of findings) {
      const count = (this.counts.get(finding.code) ?? 0) + 1;
      this.counts.set(finding.code, count);
      if (count <= MAX_OF_A_KIND) this.listed.push(finding);
    }
  }

  addError(error: DatasetError, file: string): void {
    this.add(...error.problems.map((problem) => ({ ...problem, file })));
  }

  get count(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** The listed findings, and the number of further ones. */
  get all(): { findings: Finding[]; more: number } {
    return { findings: this.listed, more: this.count - this.listed.length };
  }
}
