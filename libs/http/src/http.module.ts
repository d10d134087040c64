import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler';
import { AuthGuard } from './auth.guard.js';
import { IdempotencyInterceptor } from './idempotency.interceptor.js';
import { ProblemFilter } from './problem.filter.js';
import { validationPipe } from './validation.js';

/** Manners of the API, the same for every route: limits, tokens, checked input, problems as answers. */
@Module({})
export class HttpModule {
  static forRoot(limits: { requestsPerMinute: number }): DynamicModule {
    return {
      module: HttpModule,
      imports: [ThrottlerModule.forRoot([{ ttl: 60_000, limit: limits.requestsPerMinute }])],
      providers: [
        { provide: APP_FILTER, useClass: ProblemFilter },
        { provide: APP_PIPE, useFactory: validationPipe },
        { provide: APP_GUARD, useClass: ThrottlerGuard },
        { provide: APP_GUARD, useClass: AuthGuard },
        { provide: APP_INTERCEPTOR, useClass: IdempotencyInterceptor },
      ],
    };
  }
}
