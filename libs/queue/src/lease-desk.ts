import { randomBytes } from 'node:crypto';
import { type Lease, WORKER_JOBS, type WorkerJobName } from '@alphaflops/contracts';
import type { QueueConnection } from './connection.js';
import { LeaseQueue, type Taken } from './lease-queue.js';
import { queueName } from './names.js';
import type { WorkHandler } from './work-handler.js';

/** A request for work that finds none is answered after this time. */
const POLL_MS = 25_000;
/** The interval at which the desk checks for work without a notification, because a notification may be lost. */
const SWEEP_EVERY_MS = 5_000;
/** The prefix of the notification that dismisses a worker. Queue names have no colon. */
const DISMISSED = 'dismissed:';

/** One request for work. */
export interface WorkRequest {
  readonly workerId: string;
  readonly jobs: readonly WorkerJobName[];
  readonly targetIds: readonly string[];
  /** Whether the worker may have work at this moment. */
  readonly mayWork: () => Promise<boolean>;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

interface Poll {
  readonly request: WorkRequest;
  readonly lines: Line[];
  /** True while a line looks for work for this request. */
  isBusy: boolean;
  /** Lines that had only this request to serve while it was busy. */
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
  /** True when there may be work or a request that was not examined yet. */
  again: boolean;
}

/**
 * Hands out jobs to remote workers, with one connection to Redis for all queues. Requests for work wait here until one of
 * their queues has work.
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

  /** True when the desk is closed and hands out no more work. */
  get isClosing(): boolean {
    return this.isReleased;
  }

  /** Sets the handler for the jobs of one kind. */
  handle<N extends WorkerJobName>(job: N, handler: WorkHandler<N>): void {
    this.handlers.set(job, handler);
  }

  /** @throws Error when this kind of job has no handler */
  handlerOf<N extends WorkerJobName>(job: N): WorkHandler<N> {
    const handler = this.handlers.get(job);
    if (handler === undefined) throw new Error(`the results of ${job} jobs have no handler`);
    return handler;
  }

  /** Starts to listen for new work. @throws Error when a kind of job has no handler */
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

  /** The queue of a job and a target. The first call also starts the check for stalled jobs of that queue. */
  queue<N extends WorkerJobName>(job: N, targetId: string): LeaseQueue<N> {
    return this.line(job, targetId).queue as LeaseQueue<N>;
  }

  /**
   * Returns a job as soon as one waits; null when no job comes in time, or when the desk closes. Rejects when a handler
   * rejects, for example while the store is unreachable.
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

  /** Answers the waiting request of a worker, at any coordinator, because the desired state of the worker has changed. */
  async dismiss(workerId: string): Promise<void> {
    await this.connection.tell(`${DISMISSED}${workerId}`);
  }

  /** Answers all waiting requests. From now on, the desk hands out no work. */
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

  /** Serves the requests one after the other: if one finds no work, the next one would not find any either. */
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
      // Redis failed: the next sweep tries again.
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

  /** Gives the job to the request. If the job is not suitable, the request continues to wait. */
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

/** Whether the request may get work. If not, it still waits, because its worker would send a new request at once. */
async function isWelcome(poll: Poll, mayWork: WorkRequest['mayWork']): Promise<boolean> {
  try {
    if (await mayWork()) return true;
    for (const line of poll.lines) line.polls.delete(poll);
  } catch (error) {
    poll.fail(error);
  }
  return false;
}

/** The oldest request that no other line is serving. */
function nextOf(line: Line): Poll | null {
  for (const poll of line.polls) {
    if (!poll.isBusy) return poll;
    poll.passedOver.add(line);
  }
  return null;
}
