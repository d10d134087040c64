import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE, DiscoveryModule, Reflector } from '@nestjs/core';
import { ThrottlerGuard, ThrottlerModule, type ThrottlerModuleOptions } from '@nestjs/throttler';
import { accessOf } from './access.js';
import { AuditController } from './audit.controller.js';
import { AuditInterceptor } from './audit.interceptor.js';
import { AuthGuard } from './auth.guard.js';
import { IdempotencyInterceptor } from './idempotency.interceptor.js';
import { ProblemFilter } from './problem.filter.js';
import { RequestCounts } from './request-counts.js';
import { RoutesCheck } from './routes-check.js';
import { validationPipe } from './validation.js';

/** Most requests of one client address to one route. */
export interface RateLimits {
  requestsPerMinute: number;
  /** … to enrol, which is where join tokens could be guessed. */
  enrolmentsPerMinute: number;
}

const WINDOW_MS = 60_000;

/** Manners of the API, the same for every route: limits, tokens, checked input, problems as answers. */
@Module({})
export class HttpModule {
  static forRoot(limits: RateLimits): DynamicModule {
    return {
      module: HttpModule,
      imports: [DiscoveryModule, ThrottlerModule.forRoot(throttling(limits))],
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

function throttling({ requestsPerMinute, enrolmentsPerMinute }: RateLimits): ThrottlerModuleOptions {
  const reflector = new Reflector();
  return {
    storage: new RequestCounts(WINDOW_MS),
    throttlers: [
      {
        ttl: WINDOW_MS,
        limit: (context) =>
          accessOf(reflector, context.getHandler()) === 'join' ? enrolmentsPerMinute : requestsPerMinute,
      },
    ],
    errorMessage: (_context, { timeToBlockExpire }) =>
      `Too many requests from this address. Try again in ${timeToBlockExpire} s.`,
  };
}
