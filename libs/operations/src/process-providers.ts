import {
  AccessStore,
  AuditStore,
  CampaignStore,
  DatasetStore,
  FleetStore,
  KernelMapStore,
  ModelStore,
  SampleStore,
  type Stores,
} from '@alphaflops/store';
import { Registry } from 'prom-client';
import { createRegistry } from './registry.js';
import { StoreHandle } from './store-handle.js';

/** What every server process provides to its features: the ports of the store, and the metrics registry. */
export function processProviders(stores: Stores) {
  return [
    { provide: Registry, useFactory: createRegistry },
    { provide: StoreHandle, useValue: new StoreHandle(stores) },
    { provide: CampaignStore, useValue: stores.campaigns },
    { provide: SampleStore, useValue: stores.samples },
    { provide: FleetStore, useValue: stores.fleet },
    { provide: AccessStore, useValue: stores.access },
    { provide: AuditStore, useValue: stores.audit },
    { provide: ModelStore, useValue: stores.models },
    { provide: DatasetStore, useValue: stores.datasets },
    { provide: KernelMapStore, useValue: stores.kernelMaps },
  ];
}
