import { Injectable, Logger } from '@nestjs/common';
import { Lifecycle } from './lifecycle.js';

/** Checks whether a campaign is complete after a write, with one check at a time for each campaign. */
@Injectable()
export class Completion {
  private readonly logger = new Logger('campaigns');
  /** Campaigns with a running check; true: something was stored since its start. */
  private readonly looking = new Map<string, boolean>();

  constructor(private readonly lifecycle: Lifecycle) {}

  /** Does not wait for it: the reconciler repeats what fails here. */
  check(campaignId: string): void {
    if (this.looking.has(campaignId)) {
      this.looking.set(campaignId, true);
      return;
    }
    void this.look(campaignId);
  }

  private async look(campaignId: string): Promise<void> {
    try {
      do {
        this.looking.set(campaignId, false);
        await this.lifecycle.completeIfDone(campaignId);
      } while (this.looking.get(campaignId) === true);
    } catch (error) {
      this.logger.warn(`Could not check whether ${campaignId} is complete, retrying: ${String(error)}`);
    } finally {
      this.looking.delete(campaignId);
    }
  }
}
