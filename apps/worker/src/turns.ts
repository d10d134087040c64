/**
 * Turns in the order of the requests: executors that share a physical device never measure at the same time. Queues of
 * packages (p-limit, p-queue) do not fit: a caller must be able to stop waiting, and its work must not be left while it
 * runs.
 */
export class Turns {
  private last: Promise<void> = Promise.resolve();

  /**
   * @param signal gives up waiting; after its turn has come, `work` itself must listen
   * @throws Error when the signal fires before its turn
   */
  async take<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const before = this.last;
    const { promise: done, resolve: release } = withResolvers();
    // A caller that stops waiting keeps its place: those after it still wait for those before it.
    this.last = before.then(() => done);
    try {
      await unlessAborted(before, signal);
      return await work();
    } finally {
      release();
    }
  }
}

async function unlessAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise: aborted, resolve: abort } = withResolvers();
  signal.addEventListener('abort', abort, { once: true });
  if (!signal.aborted) await Promise.race([promise, aborted]);
  signal.removeEventListener('abort', abort);
  if (signal.aborted) throw new Error('taken away before its turn');
}

/** Promise.withResolvers, which Node 20 does not have. */
function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
