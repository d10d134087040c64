import type { NextRoundRequest } from '@alphaflops/planning';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Piscina } from 'piscina';
import type { FitAnswer, FitTask, InterimAnswer, InterimTask, RoundAnswer } from './fit-thread.js';

/** The one thread for fits, separate from the API. Further fits wait. */
@Injectable()
export class FitThreads implements OnApplicationShutdown {
  private pool: Piscina | null = null;

  fit(task: FitTask): Promise<FitAnswer> {
    return this.thread().run(task, { name: 'fit' }) as Promise<FitAnswer>;
  }

  interimFit(task: InterimTask): Promise<InterimAnswer> {
    return this.thread().run(task, { name: 'interimFit' }) as Promise<InterimAnswer>;
  }

  planRound(request: NextRoundRequest): Promise<RoundAnswer> {
    return this.thread().run(request, { name: 'planRound' }) as Promise<RoundAnswer>;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool?.close();
  }

  /** Started with the first fit, because most processes of a deployment never fit. */
  private thread(): Piscina {
    this.pool ??= new Piscina({
      filename: new URL('./fit-thread.js', import.meta.url).href,
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: 10_000,
    });
    return this.pool;
  }
}
