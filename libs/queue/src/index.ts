export * from './access.js';
export * from './job-consumer.js';
export { JobQueue, type JobState, type Settled } from './job-queue.js';
export * from './names.js';
export * from './private-redis.js';
export {
  assertRedisAnswers,
  describeAddress,
  isRefusal,
  KEY_PREFIX,
  QueueError,
  type QueueErrorCode,
  type RedisAddress,
} from './redis.js';
