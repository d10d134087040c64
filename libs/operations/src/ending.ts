import { errorText } from '@alphaflops/contracts';

/** Supervisors wait at least 10 s before they kill. A part that is not closed within 5 s waits for something that is gone. */
const CLOSE_LIMIT_MS = 5_000;

/**
 * Ends a process: closes its parts once, and exits with 0. If Redis or the store is unreachable, closing can wait for
 * ever. The process therefore exits after 5 s in any case. Everything that was confirmed is stored, and the queue hands
 * out the rest again.
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
