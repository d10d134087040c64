/**
 * Does `act` with a signal that fires after `limitMs`, or when `signal` fires.
 *
 * AbortSignal.any([AbortSignal.timeout(…)]) is not used: in Node 20 such a time limit can be garbage-collected before it
 * fires, and the request then waits without end.
 *
 * @returns what `act` returns
 * @throws what `act` throws
 */
export async function withTimeLimit<T>(
  limitMs: number,
  signal: AbortSignal | undefined,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const onAbort = (): void => {
    controller.abort(signal?.reason);
  };
  if (signal?.aborted === true) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  const timer = setTimeout(() => {
    controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
  }, limitMs);
  try {
    return await act(controller.signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}
