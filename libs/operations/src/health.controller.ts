import { type Health, HealthSchema } from '@alphaflops/contracts';
import { AllowAccess, Answer, ApiTags } from '@alphaflops/http';
import { QueueConnection } from '@alphaflops/queue';
import { Controller, Get, Res } from '@nestjs/common';
import { SkipThrottle } from '@nestjs/throttler';
import type { Response } from 'express';
import { readiness } from './readiness.js';
import { StoreHandle } from './store-handle.js';

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
    const health = await readiness({ store: () => this.store.ping(), queue: () => this.queue.ping() });
    response.status(health.status === 'ok' ? 200 : 503);
    return health;
  }
}
