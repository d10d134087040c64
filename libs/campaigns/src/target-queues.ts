import { JobQueue, type RedisAddress } from '@alphaflops/queue';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';

/** Where the queues are, with the coordinator's own user and password. */
export abstract class QueueAddress implements RedisAddress {
  abstract readonly url: string;
  abstract readonly username?: string | undefined;
  abstract readonly password?: string | undefined;
  abstract readonly trust?: RedisAddress['trust'];
}

/** One measure queue per target, opened when first asked for. */
@Injectable()
export class TargetQueues implements OnApplicationShutdown {
  private readonly open = new Map<string, JobQueue<'measure'>>();

  constructor(private readonly address: QueueAddress) {}

  of(targetId: string): JobQueue<'measure'> {
    let queue = this.open.get(targetId);
    if (queue === undefined) {
      queue = new JobQueue('measure', this.address, { targetId });
      this.open.set(targetId, queue);
    }
    return queue;
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.open.values()].map((queue) => queue.close()));
    this.open.clear();
  }
}
