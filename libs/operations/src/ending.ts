import { errorText } from '@alphaflops/contracts';

/** Supervisors wait 10 s and longer before they kill; what is not closed by then waits for something that is gone. */
const CLOSE_LIMIT_MS = 5_000;

/**
 * How a process ends: it closes what it has, once, and exits with 0. Redis or a store that is away can make closing wait
 * for ever, so it exits after 5 s in any case: whatever was confirmed is stored, and the queue hands out the rest again.
 *
 * @param close closes everything; when it fails, the process exits with 1
 */
export function endWith(close: () => Promise<unknown>, limitMs = CLOSE_LIMIT_MS): () => void {
  let isEnding = false;
  return () => {
    if (isEnding) return;
    isEnding = true;
    setTimeout(() => {
      console.error(
        `Redis or the store does not answer: ending without closing them, after ${limitMs / 1000} s.`,
      );
      process.exit(0);
    }, limitMs).unref();
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(errorText(error));
        process.exit(1);
      },
    );
  };
}
