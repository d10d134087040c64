export * from './connection.js';
export { GiveUp, type Handler, JobConsumer, RECOVERY } from './job-consumer.js';
export { JobQueue, type JobState, type Settled } from './job-queue.js';
export { LeaseDesk, type WorkRequest } from './lease-desk.js';
export { type Broken, LeaseQueue, type Standing, type Taken } from './lease-queue.js';
export * from './names.js';
export {
  assertRedisAnswers,
  inTime,
  KEY_PREFIX,
  QueueError,
  type QueueErrorCode,
  type RedisAddress,
} from './redis.js';
export * from './work-handler.js';
