import type { Lease, LeaseRef } from '@alphaflops/contracts';
import type {
  Broken,
  Delivery,
  LeaseQueue,
  Recorded,
  Standing,
  WorkHandler,
  WorkRequest,
} from '@alphaflops/queue';

/** The queue of one target with one job, and the handler of its results. The test controls both. */
export class FakeDesk {
  isClosing = false;
  /** Requests for work that wait. */
  readonly parked: { request: WorkRequest; answer: (lease: Lease | null) => void }[] = [];
  standing: Standing = 'held';
  isHeld = true;
  isLastAttempt = false;
  isDone = false;
  recorded: Recorded | Error = { kind: 'stored' };
  /** The answer of Redis when a job must leave the queue. */
  completion: () => Promise<boolean> = () => Promise.resolve(true);
  readonly deliveries: Delivery<'measure'>[] = [];
  /** The outcomes of the job, in order. */
  readonly done: unknown[] = [];

  take(request: WorkRequest): Promise<Lease | null> {
    return new Promise((answer) => this.parked.push({ request, answer }));
  }

  queue(job: string, targetId: string) {
    const note = (what: string) => (lease: LeaseRef, reason?: string) => {
      this.done.push([what, job, targetId, lease.id, ...(reason === undefined ? [] : [reason])]);
      return Promise.resolve(this.isHeld);
    };
    const queue: Partial<LeaseQueue<'measure'>> = {
      renew: ({ token }) => Promise.resolve(this.isHeld && !token.includes('lost')),
      standing: () => Promise.resolve(this.standing),
      isLastAttempt: () => Promise.resolve(this.isLastAttempt),
      putBack: note('put back'),
      fail: note('failed'),
      complete: (lease) => note('completed')(lease as LeaseRef).then(this.completion),
    };
    return queue;
  }

  handlerOf() {
    const handler: WorkHandler<'measure'> = {
      isDone: () => Promise.resolve(this.isDone),
      record: (delivery) => {
        this.deliveries.push(delivery);
        return this.recorded instanceof Error
          ? Promise.reject(this.recorded)
          : Promise.resolve(this.recorded);
      },
      recordFailure: ({ reason }: Broken) => {
        this.done.push(['failure stored', reason]);
        return Promise.resolve();
      },
    };
    return handler;
  }
}
