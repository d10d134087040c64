import type { IncomingMessage } from 'node:http';
import type {
  JobResult,
  Lease,
  LeaseFailure,
  LeaseRef,
  LeaseRenewal,
  LeaseRequest,
  WorkerJobName,
} from '@alphaflops/contracts';
import { ApiProblem } from '@alphaflops/http/problem';
import { inTime, LeaseDesk, RECOVERY } from '@alphaflops/queue';
import { FleetStore } from '@alphaflops/store';
import {
  type BeforeApplicationShutdown,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { Gauge, Registry } from 'prom-client';
import { ResultIntake } from './result-intake.js';

/** The coordinator renews the lease while it handles a result, so that a slow store does not lose the lease. */
const RENEW_EVERY_MS = RECOVERY.lockDurationMs / 4;
/**
 * Maximum number of open requests for work of one worker, for each of its devices and device classes. A worker needs one
 * request per device, and one more near the end of a batch.
 */
const POLLS_PER_TARGET = 4;

/** The access of workers to the queues: they take jobs, keep leases, and send results. Only the coordinator connects to Redis. */
@Injectable()
export class LeasesService
  implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown
{
  private readonly intake = new ResultIntake();
  private readonly polls = new Map<string, number>();
  /** Known devices and device classes of each worker. */
  private readonly targets = new Map<string, ReadonlySet<string>>();

  constructor(
    private readonly desk: LeaseDesk,
    private readonly fleet: FleetStore,
    registry: Registry,
  ) {
    const { polls } = this;
    new Gauge({
      name: 'alphaflops_parked_requests',
      help: 'Requests of workers for work that wait in this process',
      registers: [registry],
      collect() {
        this.set([...polls.values()].reduce((sum, count) => sum + count, 0));
      },
    });
  }

  onApplicationBootstrap(): void {
    this.desk.start();
  }

  beforeApplicationShutdown(): void {
    this.desk.release();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.desk.close();
  }

  /** A job for one of the targets; null when no job comes in time. */
  async take(workerId: string, request: LeaseRequest, signal: AbortSignal): Promise<Lease | null> {
    if (this.desk.isClosing) {
      throw new ApiProblem(503, 'shutting-down', 'This coordinator is shutting down. Use another one.');
    }
    for (const targetId of request.targetIds) await this.checkTarget(workerId, targetId);
    const open = this.polls.get(workerId) ?? 0;
    if (open >= POLLS_PER_TARGET * (this.targets.get(workerId)?.size ?? 1)) {
      throw new ApiProblem(429, 'too-many-polls', 'This worker has too many requests for work open.');
    }
    this.polls.set(workerId, open + 1);
    try {
      return await this.desk.take({ workerId, ...request, signal, mayWork: () => this.mayWork(workerId) });
    } finally {
      const left = (this.polls.get(workerId) ?? 1) - 1;
      if (left === 0) this.polls.delete(workerId);
      else this.polls.set(workerId, left);
    }
  }

  /** Renews the leases and returns those that are lost. */
  async renew(workerId: string, leases: readonly LeaseRef[]): Promise<LeaseRenewal> {
    const answers = await Promise.all(
      leases.map(async (ref) => {
        const queue = await this.queueOf(workerId, ref);
        return (await inTime(queue.renew(ref))) ? [] : [ref.token];
      }),
    );
    return { lost: answers.flat() };
  }

  /**
   * Stores a result. Resolves when its samples are stored, now or before.
   * @throws ApiProblem 409 when the job does not belong to this worker any more, or when the result is refused
   */
  async result<N extends WorkerJobName>(
    workerId: string,
    lease: LeaseRef & { job: N },
    result: JobResult<N>,
    request: IncomingMessage,
  ): Promise<void> {
    await this.intake.admit(workerId, request, async (readBody) => {
      const receivedAtMs = Date.now();
      const queue = await this.queueOf(workerId, lease);
      const handler = this.desk.handlerOf<N>(lease.job);
      const standing = await inTime(queue.standing(lease));
      if (standing === 'others') {
        if (await handler.isDone(lease)) return;
        throw lostLease();
      }
      const renewing = setInterval(() => {
        queue.renew(lease).catch(() => undefined);
      }, RENEW_EVERY_MS);
      try {
        const body = await readBody();
        const recorded = await this.intake.write(() =>
          handler.record({ lease, workerId, standing, result, body, receivedAtMs }),
        );
        if (recorded.kind === 'refused') {
          await inTime(recorded.again ? queue.putBack(lease) : queue.complete(lease));
          throw new ApiProblem(409, 'result-refused', `The result was refused: ${recorded.reason}.`);
        }
      } finally {
        clearInterval(renewing);
      }
      // The result is stored. If the job cannot leave its queue now, it leaves when it would be handed out next.
      await inTime(queue.complete(lease)).catch(() => undefined);
    });
  }

  /** Returns the job for another worker, and uses no attempt. */
  async giveBack(workerId: string, ref: LeaseRef): Promise<void> {
    const queue = await this.queueOf(workerId, ref);
    if (!(await inTime(queue.putBack(ref)))) throw lostLease();
  }

  /** Records a failed attempt. After the last attempt, the failure is stored. */
  async fail(workerId: string, { lease, reason }: LeaseFailure): Promise<void> {
    const queue = await this.queueOf(workerId, lease);
    if (!(await inTime(queue.renew(lease)))) throw lostLease();
    if (await inTime(queue.isLastAttempt(lease))) {
      await this.desk.handlerOf(lease.job).recordFailure({ ...lease, reason });
    }
    await inTime(queue.fail(lease, reason));
  }

  /** @throws ApiProblem 403 when the token or the target belongs to another worker */
  private async queueOf<N extends WorkerJobName>(
    workerId: string,
    { job, targetId, token }: LeaseRef & { job: N },
  ) {
    if (token.slice(0, token.lastIndexOf('.')) !== workerId) {
      throw new ApiProblem(403, 'not-your-lease', 'The lease belongs to another worker.');
    }
    await this.checkTarget(workerId, targetId);
    return this.desk.queue<N>(job, targetId);
  }

  private async checkTarget(workerId: string, targetId: string): Promise<void> {
    if (this.targets.get(workerId)?.has(targetId) === true) return;
    const worker = await this.fleet.worker(workerId);
    const devices = await Promise.all((worker?.deviceIds ?? []).map((id) => this.fleet.device(id)));
    const targets = devices.flatMap((device) => (device === null ? [] : [device.id, device.deviceClassId]));
    this.targets.set(workerId, new Set(targets));
    if (!targets.includes(targetId)) {
      throw new ApiProblem(
        403,
        'not-your-device',
        `${targetId} is not a device or a device class of this worker.`,
      );
    }
  }

  private async mayWork(workerId: string): Promise<boolean> {
    return (await this.fleet.worker(workerId))?.desiredState === 'active';
  }
}

function lostLease(): ApiProblem {
  return new ApiProblem(409, 'lease-lost', 'The lease has ended; the job belongs to another worker now.');
}
