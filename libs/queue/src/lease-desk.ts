import { randomBytes } from 'node:crypto';
import { type Lease, WORKER_JOBS, type WorkerJobName } from '@alphaflops/contracts';
import type { QueueConnection } from './connection.js';
import { LeaseQueue, type Taken } from './lease-queue.js';
import { queueName } from './names.js';
import type { WorkHandler } from './work-handler.js';

/** A request for work is answered after so long without work. */
const POLL_MS = 25_000;
/** Whether there is work is looked up so often although nobody said so: what was said may have been lost. */
const SWEEP_EVERY_MS = 5_000;
/** Begins the news that a worker is dismissed; queues have no colon in their names. */
const DISMISSED = 'dismissed:';

/** One request for work. */
export interface WorkRequest {
  readonly workerId: string;
  readonly jobs: readonly WorkerJobName[];
  readonly targetIds: readonly string[];
  /** Whether the worker may have work at this moment. */
  readonly mayWork: () => Promise<boolean>;
  /** Fires when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

interface Poll {
  readonly request: WorkRequest;
  readonly lines: Line[];
  /** A line is looking for work for it. */
  isBusy: boolean;
  /** Lines that had no other request to look for while it was busy. */
  readonly passedOver: Set<Line>;
  isEnded: boolean;
  readonly end: (lease: Lease | null) => void;
  readonly fail: (error: unknown) => void;
}

/** One queue, and the requests that wait for its work in the order of their arrival. */
interface Line {
  readonly queue: LeaseQueue<WorkerJobName>;
  readonly job: WorkerJobName;
  readonly polls: Set<Poll>;
  isServing: boolean;
  /** There may be work, or a request, that was not looked at. */
  again: boolean;
}

/**
 * Hands jobs out to remote workers, with one connection to Redis for all queues: requests for work are parked here until
 * a queue that they wait for has some.
 */
export class LeaseDesk {
  private readonly lines = new Map<string, Line>();
  private readonly polls = new Set<Poll>();
  private readonly handlers = new Map<WorkerJobName, WorkHandler<WorkerJobName>>();
  private sweep: NodeJS.Timeout | undefined;
  private isReleased = false;

  constructor(
    private readonly connection: QueueConnection,
    private readonly onError: (error: Error) => void,
    private readonly pollMs = POLL_MS,
  ) {}

  /** From now on nobody gets work here. */
  get isClosing(): boolean {
    return this.isReleased;
  }

  /** What becomes of the jobs of one kind. */
  handle<N extends WorkerJobName>(job: N, handler: WorkHandler<N>): void {
    this.handlers.set(job, handler);
  }

  /** @throws Error when nobody handles this kind of job */
  handlerOf<N extends WorkerJobName>(job: N): WorkHandler<N> {
    const handler = this.handlers.get(job);
    if (handler === undefined) throw new Error(`nobody handles the results of ${job} jobs`);
    return handler;
  }

  /** Begins to hear of new work. @throws Error when nobody handles some kind of job */
  start(): void {
    for (const job of WORKER_JOBS) this.handlerOf(job);
    const serveAll = (): void => {
      for (const line of this.lines.values()) this.serve(line);
    };
    this.connection.onNews((news) => {
      const line = this.lines.get(news);
      if (line !== undefined) this.serve(line);
      else if (news.startsWith(DISMISSED)) this.endPollsOf(news.slice(DISMISSED.length));
    }, serveAll);
    this.sweep = setInterval(serveAll, SWEEP_EVERY_MS).unref();
  }

  /** The queue of a job and a target. From the first call on, its stalled jobs are looked after. */
  queue<N extends WorkerJobName>(job: N, targetId: string): LeaseQueue<N> {
    return this.line(job, targetId).queue as LeaseQueue<N>;
  }

  /**
   * A job, as soon as one waits; null when none comes for a while, or when the desk closes. Rejects when a handler
   * does, as while the store is away.
   */
  take(request: WorkRequest): Promise<Lease | null> {
    const { jobs, targetIds, signal } = request;
    if (this.isReleased || signal.aborted) return Promise.resolve(null);
    return new Promise((resolve, reject) => {
      const lines = jobs.flatMap((job) => targetIds.map((targetId) => this.line(job, targetId)));
      const give = (): void => {
        poll.end(null);
      };
      const timer = setTimeout(give, this.pollMs);
      const ended = (answer: () => void): void => {
        if (poll.isEnded) return;
        poll.isEnded = true;
        clearTimeout(timer);
        signal.removeEventListener('abort', give);
        this.polls.delete(poll);
        for (const line of lines) line.polls.delete(poll);
        answer();
      };
      const poll: Poll = {
        ...{ request, lines, isBusy: false, passedOver: new Set(), isEnded: false },
        end: (lease) => {
          ended(() => {
            resolve(lease);
          });
        },
        fail: (error) => {
          ended(() => {
            reject(error instanceof Error ? error : new Error(String(error)));
          });
        },
      };
      signal.addEventListener('abort', give, { once: true });
      this.polls.add(poll);
      for (const line of lines) {
        line.polls.add(poll);
        this.serve(line);
      }
    });
  }

  /** Answers a worker that waits, at whatever coordinator: something else is wanted of it. */
  async dismiss(workerId: string): Promise<void> {
    await this.connection.tell(`${DISMISSED}${workerId}`);
  }

  /** Answers everybody who waits; from now on nobody gets work here. */
  release(): void {
    this.isReleased = true;
    clearInterval(this.sweep);
    for (const poll of this.polls) poll.end(null);
  }

  async close(): Promise<void> {
    this.release();
    await Promise.all([...this.lines.values()].map(({ queue }) => queue.close()));
  }

  private endPollsOf(workerId: string): void {
    for (const poll of this.polls) if (poll.request.workerId === workerId) poll.end(null);
  }

  private line(job: WorkerJobName, targetId: string): Line {
    const name = queueName(job, targetId);
    let line = this.lines.get(name);
    if (line === undefined) {
      const queue = new LeaseQueue(job, targetId, this.connection, this.onError);
      line = { queue, job, polls: new Set(), isServing: false, again: false };
      this.lines.set(name, line);
    }
    return line;
  }

  /** One request after the other: where one finds no work, the next would not either. */
  private serve(line: Line): void {
    line.again = true;
    if (line.isServing) return;
    line.isServing = true;
    void this.serveAll(line);
  }

  private async serveAll(line: Line): Promise<void> {
    try {
      while (line.again) {
        line.again = false;
        for (let poll = nextOf(line); poll !== null; poll = nextOf(line)) {
          if (!(await this.handOut(line, poll))) break;
        }
      }
    } catch (error) {
      // Redis does not answer as it should: the next sweep tries again.
      this.onError(error instanceof Error ? error : new Error(String(error)));
    } finally {
      line.isServing = false;
    }
  }

  /** False when the queue has no work. */
  private async handOut(line: Line, poll: Poll): Promise<boolean> {
    const { workerId, mayWork } = poll.request;
    poll.isBusy = true;
    try {
      if (!(await isWelcome(poll, mayWork)) || poll.isEnded) return true;
      const token = `${workerId}.${randomBytes(16).toString('base64url')}`;
      const taken = await line.queue.take(token);
      if (taken === null) return false;
      try {
        await this.offer(line, poll, taken);
      } catch (error) {
        poll.fail(error);
        await line.queue.putBack('lease' in taken ? taken.lease : taken.broken);
      }
      return true;
    } finally {
      poll.isBusy = false;
      const passedOver = [...poll.passedOver];
      poll.passedOver.clear();
      if (!poll.isEnded) for (const other of passedOver) this.serve(other);
    }
  }

  /** Gives the job to the request, unless it is no job for it: then the request waits on. */
  private async offer({ queue, job }: Line, poll: Poll, taken: Taken<WorkerJobName>): Promise<void> {
    const handler = this.handlerOf(job);
    if ('broken' in taken) {
      await handler.recordFailure(taken.broken);
      await queue.complete(taken.broken);
      return;
    }
    const { lease } = taken;
    if (lease.attempt > 1 && (await handler.isDone(lease))) {
      await queue.complete(lease);
      return;
    }
    if (poll.isEnded) await queue.putBack(lease);
    else poll.end(lease);
  }
}

/** Whether the request may have work. One that may not waits on, for nothing: its worker would ask again at once. */
async function isWelcome(poll: Poll, mayWork: WorkRequest['mayWork']): Promise<boolean> {
  try {
    if (await mayWork()) return true;
    for (const line of poll.lines) line.polls.delete(poll);
  } catch (error) {
    poll.fail(error);
  }
  return false;
}

/** The oldest request that no other line is busy with. */
function nextOf(line: Line): Poll | null {
  for (const poll of line.polls) {
    if (!poll.isBusy) return poll;
    poll.passedOver.add(line);
  }
  return null;
}
