import { JOBS, type JobName, type MeasureJob } from '@alphaflops/contracts';
import { QueueError } from './redis.js';

/** `fit.v1`, or `measure.v2.<targetId>` for a job that has one queue per target. */
export function queueName(job: JobName, targetId?: string): string {
  if (!(job in JOBS)) {
    throw new QueueError('unknown-job', `There is no job named ${JSON.stringify(job)}.`);
  }
  const name = `${job}.v${JOBS[job].version}`;
  return targetId === undefined ? name : `${name}.${targetId}`;
}

/** The parts of a job id from `measureJobId`; null for any other id. */
export function measureJobOf(id: string): Pick<MeasureJob, 'campaignId' | 'batchIndex'> | null {
  const [, campaignId, index] = /^(.+)\.b(0|[1-9]\d*)$/.exec(id) ?? [];
  return campaignId === undefined ? null : { campaignId, batchIndex: Number(index) };
}

/** A batch always has the same id, so that a second submission has no effect while the first one is queued. */
export function measureJobId(job: Pick<MeasureJob, 'campaignId' | 'batchIndex'>): string {
  return `${job.campaignId}.b${job.batchIndex}`;
}
