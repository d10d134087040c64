import { setTimeout } from 'node:timers/promises';
import { QueueAccess } from '@alphaflops/queue';
import { AccessStore, FleetStore, type WorkerRecord } from '@alphaflops/store';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';

/** Pause before it is tried again to renew what Redis may have forgotten. */
const AGAIN_MS = 1_000;

/** Redis users of the workers. Redis may forget them (a restart without an ACL file): the store does not. */
@Injectable()
export class QueueGrantsService implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('enrolment');
  private readonly stop = new AbortController();
  /** How often Redis was lost. */
  private losses = 0;
  private isRenewing = false;

  constructor(
    private readonly access: QueueAccess,
    private readonly tokens: AccessStore,
    private readonly fleet: FleetStore,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.access.onReconnect(() => {
      this.losses += 1;
      void this.renew();
    });
    await this.grantAll();
  }

  onApplicationShutdown(): void {
    this.stop.abort();
  }

  /** @param hash sha-256 of the worker's secret */
  async grant(worker: WorkerRecord, hash: string): Promise<void> {
    const devices = await Promise.all(worker.deviceIds.map((id) => this.fleet.device(id)));
    const targets = devices.flatMap((device) => (device === null ? [] : [device.id, device.deviceClassId]));
    await this.access.grant(worker.id, hash, [...new Set(targets)]);
    // Revoked while we were at it: whoever comes last must be the one who takes away.
    const token = await this.tokens.tokenByHash(hash);
    if (token === null || token.revokedAt !== null) await this.access.revoke(worker.id);
  }

  async revoke(workerId: string): Promise<void> {
    await this.access.revoke(workerId);
  }

  /**
   * Until it is done once after the last loss, however long the store is away: workers are locked out meanwhile, and
   * nobody else lets them in again.
   */
  private async renew(): Promise<void> {
    if (this.isRenewing) return;
    this.isRenewing = true;
    const { signal } = this.stop;
    let isTold = false;
    for (let renewed = -1; renewed !== this.losses && !signal.aborted;) {
      const losses = this.losses;
      try {
        await this.grantAll();
        renewed = losses;
      } catch (error) {
        if (!isTold) {
          this.logger.error(`Could not renew the workers’ access to Redis, trying on: ${String(error)}`);
        }
        isTold = true;
        await setTimeout(AGAIN_MS, undefined, { signal }).catch(() => undefined);
      }
    }
    this.isRenewing = false;
  }

  private async grantAll(): Promise<void> {
    for (const token of await this.tokens.tokens('worker')) {
      if (token.workerId === null) continue;
      if (token.revokedAt !== null) {
        // Revoked while Redis was away, perhaps, and Redis may remember.
        await this.access.revoke(token.workerId);
        continue;
      }
      const worker = await this.fleet.worker(token.workerId);
      if (worker !== null) await this.grant(worker, token.hash);
    }
  }
}
