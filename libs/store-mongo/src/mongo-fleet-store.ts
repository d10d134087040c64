import type { Device, DeviceClass, Page, PageQuery, Provenance } from '@alphaflops/contracts';
import { FleetStore, StoreError, withOrders, type WorkerRecord } from '@alphaflops/store';
import type { Connection } from './connection.js';
import { isDuplicateKey } from './mongo-error.js';
import { inOrderOfId } from './pages.js';
import { ProvenanceRecords } from './provenance.js';
import { Records } from './records.js';

export class MongoFleetStore extends FleetStore {
  private readonly workerRecords: Records<WorkerRecord>;
  private readonly deviceRecords: Records<Device>;
  private readonly classRecords: Records<DeviceClass>;
  private readonly provenances: ProvenanceRecords;

  constructor(private readonly connection: Connection) {
    super();
    this.workerRecords = new Records<WorkerRecord>(connection, 'workers', () => ({}));
    this.deviceRecords = new Records<Device>(connection, 'devices', ({ deviceClassId }) => ({
      deviceClassId,
    }));
    this.classRecords = new Records<DeviceClass>(connection, 'device_classes', () => ({}));
    this.provenances = new ProvenanceRecords(connection);
  }

  /** Without transactions, the worker is written last: when it exists, all other records exist too. */
  override async putWorker(
    worker: WorkerRecord,
    devices: readonly Device[],
    classes: readonly DeviceClass[],
    provenance: ReadonlyMap<string, Provenance>,
  ): Promise<WorkerRecord> {
    const writes = [
      this.provenances.addition(provenance),
      ...classes.map((deviceClass) => this.classRecords.replacement(deviceClass.id, deviceClass)),
      ...devices.map((device) => this.deviceRecords.replacement(device.id, device)),
    ];
    return await this.connection.atomically(async (session) => {
      for (const write of writes) await write(session);
      return await this.workerRecords.merge(worker.id, (known) => withOrders(worker, known), session);
    });
  }

  override addDeviceClass(deviceClass: DeviceClass): Promise<void> {
    return this.connection.attempt(async () => {
      try {
        await this.classRecords.insert(deviceClass.id, deviceClass);
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
      }
    });
  }

  override worker(id: string): Promise<WorkerRecord | null> {
    return this.connection.attempt(() => this.workerRecords.get(id));
  }

  override workers(page: PageQuery): Promise<Page<WorkerRecord>> {
    return this.connection.attempt(() => inOrderOfId(this.workerRecords, {}, page));
  }

  override patchWorker(id: string, patch: Parameters<FleetStore['patchWorker']>[1]): Promise<WorkerRecord> {
    return this.connection.attempt(async () => {
      const after = await this.workerRecords.change(id, (before) => ({ ...before, ...patch }));
      if (after === null) throw new StoreError('not-found', `There is no worker ${id}.`);
      return after;
    });
  }

  override device(id: string): Promise<Device | null> {
    return this.connection.attempt(() => this.deviceRecords.get(id));
  }

  override devices(filter: { deviceClassId?: string | undefined }, page: PageQuery): Promise<Page<Device>> {
    const { deviceClassId } = filter;
    return this.connection.attempt(() => inOrderOfId(this.deviceRecords, { deviceClassId }, page));
  }

  override deviceClass(id: string): Promise<DeviceClass | null> {
    return this.connection.attempt(() => this.classRecords.get(id));
  }

  override deviceClasses(page: PageQuery): Promise<Page<DeviceClass>> {
    return this.connection.attempt(() => inOrderOfId(this.classRecords, {}, page));
  }
}
