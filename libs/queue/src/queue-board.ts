import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import type { IServerAdapter } from '@bull-board/api/typings/app';
import { Queue } from 'bullmq';
import { queueName } from './names.js';
import type { QueueConnection } from './connection.js';
import { KEY_PREFIX } from './redis.js';

/** Bull Board for the queues of a deployment, read-only. */
export class QueueBoard {
  private readonly open = new Map<string, Queue>();
  private readonly board: ReturnType<typeof createBullBoard>;

  constructor(
    serverAdapter: IServerAdapter,
    private readonly connection: QueueConnection,
  ) {
    this.board = createBullBoard({
      queues: [],
      serverAdapter,
      options: { uiConfig: { boardTitle: 'alphaflops' } },
    });
  }

  /** @param targetIds the targets whose measure queues are shown beside the queues of fits and rounds */
  show(targetIds: readonly string[]): void {
    const names = [
      queueName('fit'),
      queueName('plan-round'),
      ...targetIds.map((id) => queueName('measure', id)),
    ];
    this.board.replaceQueues(
      names.map((name) => new BullMQAdapter(this.queue(name), { readOnlyMode: true })),
    );
  }

  async close(): Promise<void> {
    await Promise.all([...this.open.values()].map((queue) => queue.close()));
  }

  private queue(name: string): Queue {
    let queue = this.open.get(name);
    if (queue === undefined) {
      queue = new Queue(name, { connection: this.connection.client, prefix: KEY_PREFIX });
      queue.on('error', () => undefined);
      this.open.set(name, queue);
    }
    return queue;
  }
}
