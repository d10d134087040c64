import { describeAccessStore } from './conformance/access.js';
import { describeAuditStore } from './conformance/audit.js';
import { describeCampaignStore } from './conformance/campaigns.js';
import { describeDatasetStore } from './conformance/datasets.js';
import { describeFleetStore } from './conformance/fleet.js';
import { describeKernelMapStore } from './conformance/kernel-maps.js';
import { describeMigration } from './conformance/migration.js';
import { describeModelStore } from './conformance/models.js';
import { describeSampleLists } from './conformance/sample-lists.js';
import { describeSampleStore } from './conformance/samples.js';
import type { Stores } from './store.js';

export * from './conformance/builders.js';
export * from './conformance/collect.js';
export { buildKernelMap } from './conformance/kernel-maps.js';
export { firstLine } from './conformance/first-line.js';
export { QUERIES } from './conformance/queries.js';
export { fillStores } from './conformance/migration.js';

export interface OpenedStores {
  /** Empty stores. */
  stores: Stores;
  /** Closes the stores and removes what they left behind. */
  cleanUp: () => Promise<void>;
}

/**
 * Jest tests for the contract of the store port, which every adapter must pass. The tests assert only what the port
 * promises. Each test calls `openStores` once; a test that needs a second store calls it again.
 */
export function storeConformance(name: string, openStores: () => Promise<OpenedStores>): void {
  describe(`${name} keeps the store port`, () => {
    let opened: OpenedStores;
    beforeEach(async () => {
      opened = await openStores();
    });
    afterEach(() => opened.cleanUp());
    const stores = () => opened.stores;

    it('answers a ping while it is open', async () => {
      await expect(stores().ping()).resolves.toBeUndefined();
    });

    describeCampaignStore(() => stores().campaigns);
    describeSampleStore(() => stores().samples);
    describeSampleLists(() => stores().samples);
    describeFleetStore(stores);
    describeAccessStore(() => stores().access);
    describeAuditStore(() => stores().audit);
    describeModelStore(() => stores().models);
    describeDatasetStore(() => stores().datasets);
    describeKernelMapStore(() => stores().kernelMaps);
    describeMigration(stores, openStores);
  });
}
