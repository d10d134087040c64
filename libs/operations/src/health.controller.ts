import { type Health, HealthSchema } from '@alphaflops/contracts';
import { AllowAccess, Answer, ApiTags } from '@alphaflops/http';
import { QueueConnection } from '@alphaflops/queue';
import { Controller, Get, Res } from '@nestjs/common';
import { SkipThrottle } from '@nestjs/throttler';
import type { Response } from 'express';
import { StoreHandle } from './store-handle.js';

/** A part that has not answered by then is not there. */
const CHECK_WITHIN_MS = 2_000;

@ApiTags('operations')
@SkipThrottle()
@Controller()
export class HealthController {
  constructor(
    private readonly store: StoreHandle,
    private readonly queue: QueueConnection,
  ) {}

  @Get('healthz')
  @AllowAccess('public')
  @Answer(200, HealthSchema, 'The process is alive')
  alive(): Health {
    return { status: 'ok', checks: {} };
  }

  @Get('readyz')
  @AllowAccess('public')
  @Answer(200, HealthSchema, 'Store and queue answer (503 when not)')
  async ready(@Res({ passthrough: true }) response: Response): Promise<Health> {
    const checks = {
      store: await answers(() => this.store.ping()),
      queue: await answers(() => this.queue.ping()),
    };
    const ok = Object.values(checks).every((result) => result === 'ok');
    response.status(ok ? 200 : 503);
    return { status: ok ? 'ok' : 'unavailable', checks };
  }
}

async function answers(check: () => Promise<void>): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => {
      resolve('no answer');
    }, CHECK_WITHIN_MS);
  });
  try {
    return await Promise.race([check().then(() => 'ok'), late]);
  } catch (error) {
    return error instanceof Error ? error.message : 'failed';
  } finally {
    clearTimeout(timer);
  }
}
