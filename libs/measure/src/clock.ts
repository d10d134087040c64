/** Wall time as `measure` sees it, so that tests can hold it in their hands. */
export interface Clock {
  /** Monotonic milliseconds from any origin. */
  nowMs(): number;
  /** Resolves after `durationMs`. */
  wait(durationMs: number): Promise<void>;
}
