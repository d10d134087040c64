import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE, DiscoveryModule } from '@nestjs/core';
import { ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler';
import { AuditController } from './audit.controller.js';
import { AuditInterceptor } from './audit.interceptor.js';
import { AuthGuard } from './auth.guard.js';
import { IdempotencyInterceptor } from './idempotency.interceptor.js';
import { ProblemFilter } from './problem.filter.js';
import { RoutesCheck } from './routes-check.js';
import { validationPipe } from './validation.js';

/** Manners of the API, the same for every route: limits, tokens, checked input, problems as answers. */
@Module({})
export class HttpModule {
  static forRoot(limits: { requestsPerMinute: number }): DynamicModule {
    return {
      module: HttpModule,
      imports: [DiscoveryModule, ThrottlerModule.forRoot([{ ttl: 60_000, limit: limits.requestsPerMinute }])],
      controllers: [AuditController],
      providers: [
        { provide: APP_FILTER, useClass: ProblemFilter },
        { provide: APP_PIPE, useFactory: validationPipe },
        { provide: APP_GUARD, useClass: ThrottlerGuard },
        { provide: APP_GUARD, useClass: AuthGuard },
        // A repeated request that gets its first answer again does nothing, and is not audited.
        { provide: APP_INTERCEPTOR, useClass: IdempotencyInterceptor },
        { provide: APP_INTERCEPTOR, useClass: AuditInterceptor },
        RoutesCheck,
      ],
    };
  }
}
