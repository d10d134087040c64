import type { Campaign, Device } from '@alphaflops/contracts';
import { FleetStore, presenceOf } from '@alphaflops/store';
import { Injectable } from '@nestjs/common';
import { CampaignSettings } from './campaign-settings.js';

const PAGE = 100;

/** Whether there are workers for a campaign. */
@Injectable()
export class Staffing {
  constructor(
    private readonly fleet: FleetStore,
    private readonly settings: CampaignSettings,
  ) {}

  /** What the campaign waits for before a target can be measured; null: nothing. */
  async waitingFor({ deviceClassId, targetIds }: Campaign): Promise<string | null> {
    const idle: string[] = [];
    for (const targetId of targetIds) {
      if (!(await this.isServed(targetId, deviceClassId))) idle.push(targetId);
    }
    if (idle.length === 0) return null;
    return `no worker is online and active for ${idle.join(', ')}: start or resume one`;
  }

  /** Whether an online, active worker has this device. */
  async isOnline(deviceId: string): Promise<boolean> {
    const device = await this.fleet.device(deviceId);
    return device !== null && (await this.hasWorker(device));
  }

  private async isServed(targetId: string, deviceClassId: string): Promise<boolean> {
    if (targetId !== deviceClassId) return this.isOnline(targetId);
    let cursor: string | undefined;
    do {
      const page = await this.fleet.devices({ deviceClassId }, { limit: PAGE, cursor });
      for (const device of page.items) if (await this.hasWorker(device)) return true;
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    return false;
  }

  private async hasWorker({ workerId }: Device): Promise<boolean> {
    const worker = await this.fleet.worker(workerId);
    if (worker?.desiredState !== 'active') return false;
    return presenceOf(worker, this.settings, Date.now()) === 'online';
  }
}
