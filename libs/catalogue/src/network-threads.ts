import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Piscina } from 'piscina';
import type { NetworkAnswer, NetworkTask } from './network-thread.js';

export interface NetworkLimits {
  /** Reading a real network takes much less than a second. */
  readonly ms: number;
  readonly heapMib: number;
  /** Maximum number of waiting files. More are refused, so that they do not fill the memory. */
  readonly waiting: number;
}

const LIMITS: NetworkLimits = { ms: 20_000, heapMib: 1024, waiting: 16 };

/** The same file from `src` (tests) and from `dist`: a thread always runs the build. */
const THREAD = new URL('../dist/network-thread.js', import.meta.url).href;

/** The single thread that reads network files, beside the thread of the API. */
@Injectable()
export class NetworkThreads implements OnApplicationShutdown {
  private pool: Piscina | null = null;

  constructor(private readonly limits: NetworkLimits = LIMITS) {}

  /** Errors of the file, exceeded limits and too many waiting files are also answers. */
  async read(
    file: Uint8Array,
    options: NetworkTask['options'],
    beside: NetworkTask['beside'] = new Map(),
  ): Promise<NetworkAnswer> {
    const thread = this.thread();
    if (thread.queueSize >= this.limits.waiting) {
      const reason = 'Too many network files are being read. Try again in a few seconds.';
      return { ok: false, reason, isBusy: true };
    }
    const task: NetworkTask = { file, beside, options };
    const { ms, heapMib } = this.limits;
    try {
      return (await thread.run(task, { signal: AbortSignal.timeout(ms) })) as NetworkAnswer;
    } catch (error) {
      const { name, code } = error as { name?: string; code?: string };
      if (name !== 'AbortError' && code !== 'ERR_WORKER_OUT_OF_MEMORY') throw error;
      const limit = name === 'AbortError' ? `${ms / 1000} s` : `${heapMib} MiB of memory`;
      return {
        ok: false,
        reason: `Reading the network takes more than ${limit}. No real network needs so much.`,
      };
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool?.close({ force: true });
  }

  private thread(): Piscina {
    this.pool ??= new Piscina({
      filename: THREAD,
      ...{ minThreads: 0, maxThreads: 1, idleTimeout: 10_000 },
      resourceLimits: { maxOldGenerationSizeMb: this.limits.heapMib },
    });
    return this.pool;
  }
}
