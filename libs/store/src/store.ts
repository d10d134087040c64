import type { AccessStore } from './access-store.js';
import type { AuditStore } from './audit-store.js';
import type { CampaignStore } from './campaign-store.js';
import type { DatasetStore } from './dataset-store.js';
import type { FleetStore } from './fleet-store.js';
import type { KernelMapStore } from './kernel-map-store.js';
import type { ModelStore } from './model-store.js';
import type { SampleStore } from './sample-store.js';

/** Everything one adapter provides. */
export interface Stores {
  /** One line for users: the address of the store without credentials, and the features that it lacks. */
  readonly description: string;
  readonly campaigns: CampaignStore;
  readonly samples: SampleStore;
  readonly fleet: FleetStore;
  readonly access: AccessStore;
  readonly audit: AuditStore;
  readonly models: ModelStore;
  readonly datasets: DatasetStore;
  readonly kernelMaps: KernelMapStore;
  /**
   * Resolves when the store accepts writes.
   * @throws StoreError `unavailable` otherwise
   */
  ping(): Promise<void>;
  close(): Promise<void>;
}
