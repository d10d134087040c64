import type { Campaign, Model, Worker } from '../api.js';

/** Something that needs attention. */
export interface Attention {
  /** Distinguishes it from the others; names need not be unique. */
  readonly key: string;
  readonly what: string;
  readonly why: string;
  /** Page about it. */
  readonly href: string;
}

/** Older failures are not listed. */
const RECENT_MS = 7 * 24 * 3600 * 1000;

/** State of the deployment. */
export interface Known {
  readonly workers: readonly Worker[];
  readonly campaigns: readonly Campaign[];
  /** The newest model of each device class. */
  readonly latestModels: readonly Model[];
  readonly nowMs: number;
}

/** What needs attention, the most urgent first. */
export function attentionOf({ workers, campaigns, latestModels, nowMs }: Known): Attention[] {
  return [
    ...workers.filter(isMissing).map(({ id, name, presence }) => ({
      key: `missing ${id}`,
      what: `Worker ${name} is ${presence}`,
      why: 'Its devices measure nothing until it is online again.',
      href: '/workers',
    })),
    ...workers.flatMap(({ id, name, presence, disturbance }) =>
      presence === 'online' && typeof disturbance === 'string'
        ? [
            {
              key: `disturbed ${id}`,
              what: `Measurements of worker ${name} stay disturbed`,
              why: disturbance,
              href: '/workers',
            },
          ]
        : [],
    ),
    ...campaigns
      .filter(({ state, updatedAt }) => state === 'failed' && nowMs - Date.parse(updatedAt) < RECENT_MS)
      .map(({ id, name, history }) => ({
        key: `failed ${id}`,
        what: `Campaign ${name} failed`,
        why: history.at(-1)?.reason ?? '',
        href: `/campaigns/${id}`,
      })),
    ...latestModels
      .filter(({ status }) => status === 'candidate')
      .map(({ id, deviceClassId, statusReason }) => ({
        key: `candidate ${id ?? ''}`,
        what: `Model ${id ?? ''} is not served`,
        why: statusReason ?? 'It is a candidate.',
        href: `/devices/${deviceClassId ?? ''}`,
      })),
  ];
}

/** A worker that an operator drained or revoked is not missing. */
function isMissing({ presence, desiredState }: Worker): boolean {
  return presence !== 'online' && (desiredState === 'active' || desiredState === 'paused');
}
