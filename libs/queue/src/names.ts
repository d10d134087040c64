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

/** What a job id of `measureJobId` was made of; null for any other. */
export function measureJobOf(id: string): Pick<MeasureJob, 'campaignId' | 'batchIndex'> | null {
  const [, campaignId, index] = /^(.+)\.b(0|[1-9]\d*)$/.exec(id) ?? [];
  return campaignId === undefined ? null : { campaignId, batchIndex: Number(index) };
}

/** The same batch has the same id for ever, so that submitting it again while it is queued does nothing. */
export function measureJobId(job: Pick<MeasureJob, 'campaignId' | 'batchIndex'>): string {
  return `${job.campaignId}.b${job.batchIndex}`;
}
