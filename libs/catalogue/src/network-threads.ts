import { ApiProblem } from '@alphaflops/http';
import type { Network, ReadOptions } from '@alphaflops/networks';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Piscina } from 'piscina';
import type { NetworkAnswer, NetworkTask } from './network-thread.js';

/** A real network is read in well under a second. */
const MOST_MS = 20_000;
const MOST_HEAP_MIB = 1024;
/** Files that wait; more are refused, so that they do not fill the memory. */
const MOST_WAITING = 16;

/** The one thread beside the API's that reads network files. */
@Injectable()
export class NetworkThreads implements OnApplicationShutdown {
  private pool: Piscina | null = null;

  /** @throws ApiProblem what is wrong with the file, that it takes too much, or that too many wait */
  async read(file: Uint8Array, options: ReadOptions): Promise<Network> {
    const thread = this.thread();
    if (thread.queueSize >= MOST_WAITING) {
      throw new ApiProblem(
        429,
        'rate-limited',
        'Too many network files are being read. Try again in a few seconds.',
      );
    }
    const answer = await this.answerOf(thread, { file, options });
    if (answer.ok) return answer.network;
    throw new ApiProblem(400, 'invalid-request', answer.reason);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool?.close({ force: true });
  }

  private async answerOf(thread: Piscina, task: NetworkTask): Promise<NetworkAnswer> {
    try {
      return (await thread.run(task, { signal: AbortSignal.timeout(MOST_MS) })) as NetworkAnswer;
    } catch (error) {
      const { name, code } = error as { name?: string; code?: string };
      if (name !== 'AbortError' && code !== 'ERR_WORKER_OUT_OF_MEMORY') throw error;
      const limit = name === 'AbortError' ? `${MOST_MS / 1000} s` : `${MOST_HEAP_MIB} MiB of memory`;
      throw new ApiProblem(
        400,
        'invalid-request',
        `Reading the network takes more than ${limit}, as no real one does.`,
      );
    }
  }

  private thread(): Piscina {
    this.pool ??= new Piscina({
      filename: new URL('./network-thread.js', import.meta.url).href,
      ...{ minThreads: 0, maxThreads: 1, idleTimeout: 10_000 },
      resourceLimits: { maxOldGenerationSizeMb: MOST_HEAP_MIB },
    });
    return this.pool;
  }
}
