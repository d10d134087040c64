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
  /** For people, on one line: which store this is, without credentials, and what it lacks. */
  readonly description: string;
  readonly campaigns: CampaignStore;
  readonly samples: SampleStore;
  readonly fleet: FleetStore;
  readonly access: AccessStore;
  readonly audit: AuditStore;
  readonly models: ModelStore;
  readonly datasets: DatasetStore;
  readonly kernelMaps: KernelMapStore;
  /** Resolves when the store can be written to; throws `StoreError('unavailable')`. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
