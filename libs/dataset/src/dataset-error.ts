export type DatasetErrorCode =
  | 'empty'
  | 'missing-column'
  | 'duplicate-column'
  | 'unclear-column'
  | 'wrong-cell-count'
  | 'invalid-value'
  | 'malformed'
  | 'too-long';

/** One problem of a file. Lines count from 1. Line and column are null if the problem has no single line or column. */
export interface DatasetProblem {
  readonly code: DatasetErrorCode;
  readonly line: number | null;
  readonly column: string | null;
  readonly message: string;
}

/** A file cannot be read in the requested way. The error has the values of the first problem; `problems` has all of them. */
export class DatasetError extends Error {
  override readonly name = 'DatasetError';
  readonly code: DatasetErrorCode;
  readonly line: number | null;
  readonly column: string | null;

  constructor(
    readonly file: string,
    readonly problems: readonly [DatasetProblem, ...DatasetProblem[]],
  ) {
    const lines = problems.map((problem) => file + place(problem) + ': ' + problem.message);
    super(lines.join('\n'));
    ({ code: this.code, line: this.line, column: this.column } = problems[0]);
  }
}

function place({ line, column }: DatasetProblem): string {
  return (line === null ? '' : `, line ${line}`) + (column === null ? '' : `, column ${column}`);
}

/** Largest number of problems in one error, so that a person can correct several before the next attempt. */
export const MAX_PROBLEMS = 10;

/** Collects the problems of one file. */
export class Problems {
  private readonly found: DatasetProblem[] = [];

  constructor(private readonly file: string) {}

  get any(): boolean {
    return this.found.length > 0;
  }

  /** @throws DatasetError with all problems so far, once there are `MAX_PROBLEMS`. */
  add(...problems: DatasetProblem[]): void {
    this.found.push(...problems);
    if (this.found.length >= MAX_PROBLEMS) this.throwIfAny();
  }

  /** @throws DatasetError with this problem and the ones found before. */
  fatal(problem: DatasetProblem): never {
    this.found.push(problem);
    throw this.error();
  }

  throwIfAny(): void {
    if (this.any) throw this.error();
  }

  private error(): DatasetError {
    return new DatasetError(this.file, this.found.slice(0, MAX_PROBLEMS) as [DatasetProblem]);
  }
}

/** A value for an error message: quoted, shortened, with control characters escaped. */
export function shown(value: string): string {
  if (value === '') return 'an empty cell';
  return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
}
