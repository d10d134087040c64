import type { ThrottlerStorage } from '@nestjs/throttler';
import { RateLimiterMemory } from 'rate-limiter-flexible';

/**
 * Counts requests in windows. A window starts with its first request. The default storage of @nestjs/throttler keeps the
 * time of each request and reads all times at the next request. With many requests, that is most of the cost of a request.
 */
export class RequestCounts implements ThrottlerStorage {
  private readonly counts: RateLimiterMemory;

  constructor(windowMs: number) {
    // This class only counts, because the limit depends on the route.
    this.counts = new RateLimiterMemory({ points: 0, duration: windowMs / 1000 });
  }

  async increment(key: string, _windowMs: number, limit: number): ReturnType<ThrottlerStorage['increment']> {
    const counted = await this.counts.penalty(key);
    const seconds = Math.ceil(counted.msBeforeNext / 1000);
    return {
      totalHits: counted.consumedPoints,
      timeToExpire: seconds,
      isBlocked: counted.consumedPoints > limit,
      timeToBlockExpire: seconds,
    };
  }
}
