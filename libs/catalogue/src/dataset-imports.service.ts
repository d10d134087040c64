import type { ImportRequest, ImportResult, Provenance, Sample } from '@alphaflops/contracts';
import { sampleOfRow } from '@alphaflops/dataset';
import { provenanceId } from '@alphaflops/provenance';
import { CampaignStore, FleetStore, SampleStore, StoreError } from '@alphaflops/store';
import { Injectable } from '@nestjs/common';

/** Samples that were measured elsewhere. */
@Injectable()
export class DatasetImports {
  constructor(
    private readonly samples: SampleStore,
    private readonly fleet: FleetStore,
    private readonly campaigns: CampaignStore,
  ) {}

  /**
   * Stores rows as samples of their device classes, without signatures. The rows keep their ids, so that the same rows are
   * stored once, and their export is the same data set. Rows of a campaign of this deployment are not stored, because
   * its samples are here already, and an import must not fill its slots.
   */
  async import({ deviceClasses, provenance, rows }: ImportRequest): Promise<ImportResult> {
    const now = new Date().toISOString();
    const foreign: Sample[] = [];
    const ours = new Map<string, boolean>();
    for (const row of rows) {
      const { campaign_id: campaignId } = row;
      if (!ours.has(campaignId)) ours.set(campaignId, (await this.campaigns.get(campaignId)) !== null);
      if (ours.get(campaignId) === true) continue;
      foreign.push({ ...sampleOfRow(row), signature: null, importedAt: now });
    }
    for (const deviceClass of deviceClasses) await this.fleet.addDeviceClass(deviceClass);
    for (const id of new Set(foreign.map(({ deviceClassId }) => deviceClassId))) {
      if ((await this.fleet.deviceClass(id)) !== null) continue;
      throw new StoreError(
        'not-found',
        `Device class ${id} does not exist here, and the rows do not contain it.`,
      );
    }
    const records = new Map<string, Provenance>(provenance.map((record) => [provenanceId(record), record]));
    const { inserted } = await this.samples.record(foreign, records);
    return { recorded: inserted, present: rows.length - inserted };
  }
}
