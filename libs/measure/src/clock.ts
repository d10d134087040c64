/** The wall time that `measure` uses. Tests replace it with a clock that they control. */
export interface Clock {
  /** Milliseconds since an arbitrary origin. They never decrease. */
  nowMs(): number;
  /** Resolves after `durationMs`. */
  wait(durationMs: number): Promise<void>;
}
