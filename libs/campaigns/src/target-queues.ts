import { JobQueue, QueueConnection } from '@alphaflops/queue';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';

/** One measure queue per target, opened at its first use. */
@Injectable()
export class TargetQueues implements OnApplicationShutdown {
  private readonly open = new Map<string, JobQueue<'measure'>>();

  constructor(private readonly connection: QueueConnection) {}

  of(targetId: string): JobQueue<'measure'> {
    let queue = this.open.get(targetId);
    if (queue === undefined) {
      queue = new JobQueue('measure', this.connection, { targetId });
      this.open.set(targetId, queue);
    }
    return queue;
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.open.values()].map((queue) => queue.close()));
    this.open.clear();
  }
}
