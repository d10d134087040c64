import { QueueAccess } from '@alphaflops/queue';
import { AccessStore, FleetStore, type WorkerRecord } from '@alphaflops/store';
import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';

/** Redis users of the workers. Redis may forget them (a restart without an ACL file): the store does not. */
@Injectable()
export class QueueGrantsService implements OnApplicationBootstrap {
  private readonly logger = new Logger('enrolment');

  constructor(
    private readonly access: QueueAccess,
    private readonly tokens: AccessStore,
    private readonly fleet: FleetStore,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.grantAll();
    this.access.onReconnect(() => {
      this.grantAll().catch((error: unknown) => {
        this.logger.error(`Could not renew the workers’ access to Redis: ${String(error)}`);
      });
    });
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
