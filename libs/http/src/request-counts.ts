import type { ThrottlerStorage } from '@nestjs/throttler';
import { RateLimiterMemory } from 'rate-limiter-flexible';

/**
 * Counts requests by windows that begin with the first of them. The storage that @nestjs/throttler brings keeps the time of
 * each request and goes through all of them at the next one: with many requests that is most of what one costs.
 */
export class RequestCounts implements ThrottlerStorage {
  private readonly counts: RateLimiterMemory;

  constructor(windowMs: number) {
    // It counts alone: the limit depends on the route.
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
