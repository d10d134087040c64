import { type DynamicModule, type ExecutionContext, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE, DiscoveryModule, Reflector } from '@nestjs/core';
import { ThrottlerGuard, ThrottlerModule, type ThrottlerModuleOptions } from '@nestjs/throttler';
import { accessOf, isSpent } from './access.js';
import { AccessController } from './access.controller.js';
import { AuditInterceptor } from './audit.interceptor.js';
import { AuthGuard } from './auth.guard.js';
import { IdempotencyInterceptor } from './idempotency.interceptor.js';
import { ProblemFilter } from './problem.filter.js';
import { publicReadOf, PublicReading } from './public-read.js';
import { PublicViewInterceptor } from './public-view.interceptor.js';
import type { ApiRequest } from './request.js';
import { RequestCounts } from './request-counts.js';
import { RoutesCheck } from './routes-check.js';
import { validationPipe } from './validation.js';

/** Maximum number of requests of one client address to one route. */
export interface RateLimits {
  requestsPerMinute: number;
  /** … to enrol or to sign in with a link, because join tokens and codes could be guessed there. */
  enrolmentsPerMinute: number;
  /** … without a token, if that is allowed. */
  publicRequestsPerMinute: number;
}

const WINDOW_MS = 60_000;
/** Maximum share of streams in the requests without a token. */
const STREAM_SHARE = 0.1;

/** The rules that are the same for every route: limits, tokens, checked input, problems as answers. */
@Module({})
export class HttpModule {
  /** @param publicRead whether models, data sets and predictions are public */
  static forRoot(limits: RateLimits, publicRead: boolean): DynamicModule {
    return {
      module: HttpModule,
      imports: [DiscoveryModule, ThrottlerModule.forRoot(throttling(limits))],
      controllers: [AccessController],
      providers: [
        { provide: APP_FILTER, useClass: ProblemFilter },
        { provide: APP_PIPE, useFactory: validationPipe },
        { provide: APP_GUARD, useClass: ThrottlerGuard },
        { provide: APP_GUARD, useClass: AuthGuard },
        // A repeated request that gets its first answer again changes nothing, and is not audited.
        { provide: APP_INTERCEPTOR, useClass: IdempotencyInterceptor },
        { provide: APP_INTERCEPTOR, useClass: AuditInterceptor },
        { provide: APP_INTERCEPTOR, useClass: PublicViewInterceptor },
        { provide: PublicReading, useValue: { isOn: publicRead } satisfies PublicReading },
        RoutesCheck,
      ],
    };
  }
}

function throttling(limits: RateLimits): ThrottlerModuleOptions {
  const reflector = new Reflector();
  return {
    storage: new RequestCounts(WINDOW_MS),
    throttlers: [{ ttl: WINDOW_MS, limit: (context) => limitOf(context, reflector, limits) }],
    errorMessage: (_context, { timeToBlockExpire }) =>
      `Too many requests from this address. Try again in ${timeToBlockExpire} s.`,
  };
}

/** Maximum number of requests per minute of one address to the route of a request. */
function limitOf(context: ExecutionContext, reflector: Reflector, limits: RateLimits): number {
  const handler = context.getHandler();
  if (isSpent(accessOf(reflector, handler))) return limits.enrolmentsPerMinute;
  const read = publicReadOf(reflector, handler);
  const { authorization } = context.switchToHttp().getRequest<ApiRequest>().headers;
  if (read === undefined || authorization !== undefined) return limits.requestsPerMinute;
  return Math.ceil(limits.publicRequestsPerMinute * (read.isStream === true ? STREAM_SHARE : 1));
}
