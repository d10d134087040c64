import { ApiProblem } from '@alphaflops/http/problem';
import type { IncomingMessage } from 'node:http';
import { addAbortSignal } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import pLimit from 'p-limit';

/** Largest body of one result: a batch of 10,000 slots is a few MB. */
const MAX_BYTES = 16 * 1024 * 1024;
/** Maximum number of bodies in memory at the same time, of all workers and of one worker. */
const MAX_BYTES_AT_ONCE = 256 * 1024 * 1024;
const MAX_PER_WORKER = 8;
/** Maximum number of results that wait for the store. More results would only wait longer. */
const MAX_WAITING = 256;
/** Maximum number of concurrent writes to the store: one result is stored while others are checked. */
const WRITERS = 4;
/** The coordinator aborts a body that takes longer to arrive. */
const ARRIVES_WITHIN_MS = 60_000;

/** Limits the memory and the store writes of results. A refused worker tries again, so no queue grows here. */
export class ResultIntake {
  private bytes = 0;
  private count = 0;
  private readonly byWorker = new Map<string, number>();
  /** Writes when its turn comes. */
  readonly write = pLimit(WRITERS);

  /**
   * Admits a result before its body is read, and calls `act` with it.
   * @throws ApiProblem 408, 411, 413, 429, or 503 while too many results arrive
   */
  async admit<T>(
    workerId: string,
    request: IncomingMessage,
    act: (readBody: () => Promise<Buffer>) => Promise<T>,
  ): Promise<T> {
    const length = Number(request.headers['content-length'] ?? NaN);
    if (!Number.isInteger(length)) {
      throw new ApiProblem(411, 'length-required', 'Send the length of the body (Content-Length).');
    }
    if (length > MAX_BYTES) {
      throw new ApiProblem(413, 'payload-too-large', `A result has at most ${MAX_BYTES} bytes.`);
    }
    const own = this.byWorker.get(workerId) ?? 0;
    if (own >= MAX_PER_WORKER) {
      throw new ApiProblem(
        429,
        'too-many-results',
        `A worker sends at most ${MAX_PER_WORKER} results at once.`,
      );
    }
    if (this.count >= MAX_WAITING || this.bytes + length > MAX_BYTES_AT_ONCE) {
      throw new ApiProblem(503, 'busy', 'Too many results arrive at once. Send it again in a moment.');
    }
    this.bytes += length;
    this.count += 1;
    this.byWorker.set(workerId, own + 1);
    try {
      return await act(() => read(request));
    } finally {
      this.bytes -= length;
      this.count -= 1;
      const left = (this.byWorker.get(workerId) ?? 1) - 1;
      if (left === 0) this.byWorker.delete(workerId);
      else this.byWorker.set(workerId, left);
    }
  }
}

/** Node delivers a body with exactly the length of its header, or aborts it. */
async function read(request: IncomingMessage): Promise<Buffer> {
  try {
    return await buffer(addAbortSignal(AbortSignal.timeout(ARRIVES_WITHIN_MS), request));
  } catch {
    throw new ApiProblem(408, 'request-timeout', 'The body has not arrived in full.');
  }
}
