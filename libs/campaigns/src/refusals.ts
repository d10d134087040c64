import { randomUUID } from 'node:crypto';
import type { LeaseRef } from '@alphaflops/contracts';
import { AuditStore } from '@alphaflops/store';
import { Injectable, Logger } from '@nestjs/common';

/** After this number of refused results, a batch is not measured again. */
const MAX_REFUSALS = 3;

type Place = Pick<LeaseRef, 'targetId' | 'id'>;

/** Refused results: logged, audited, and counted by batch since the start of this process. */
@Injectable()
export class Refusals {
  private readonly logger = new Logger('recorder');
  private readonly counts = new Map<string, number>();

  constructor(private readonly audit: AuditStore) {}

  /** Returns whether the batch has to be measured again. */
  async add(place: Place, workerId: string, reason: string): Promise<boolean> {
    const times = (this.counts.get(keyOf(place)) ?? 0) + 1;
    this.counts.set(keyOf(place), times);
    this.logger.warn(`Refused a result: ${reason}.`, { batch: place.id, worker: workerId, times });
    await this.audit.append({
      id: `audit-${randomUUID()}`,
      at: new Date().toISOString(),
      actor: { kind: 'system', tokenId: null, name: `results of ${workerId}` },
      action: 'samples.refuse',
      targetId: place.id,
      status: null,
      requestId: null,
      address: null,
    });
    return times < MAX_REFUSALS;
  }

  /** Forgets a batch that has ended. */
  forget(place: Place): void {
    this.counts.delete(keyOf(place));
  }
}

function keyOf({ targetId, id }: Place): string {
  return `${targetId} ${id}`;
}
