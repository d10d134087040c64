import type { Device, DeviceClass, Page, PageQuery, Provenance } from '@alphaflops/contracts';
import { FleetStore, StoreError, withOrders, type WorkerRecord } from '@alphaflops/store';
import type { Connection } from './connection.js';
import { inOrderOfId } from './lists.js';
import { putProvenance } from './provenance.js';

export class SqliteFleetStore extends FleetStore {
  constructor(private readonly connection: Connection) {
    super();
  }

  override putWorker(
    worker: WorkerRecord,
    devices: readonly Device[],
    classes: readonly DeviceClass[],
    provenance: ReadonlyMap<string, Provenance>,
  ): Promise<WorkerRecord> {
    return this.connection.write(() => {
      putProvenance(this.connection, provenance);
      for (const deviceClass of classes) {
        this.connection.run(
          'INSERT INTO device_classes (id, doc) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET doc = excluded.doc',
          [deviceClass.id, JSON.stringify(deviceClass)],
        );
      }
      for (const device of devices) {
        this.connection.run(
          'INSERT INTO devices (id, device_class_id, doc) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE ' +
            'SET device_class_id = excluded.device_class_id, doc = excluded.doc',
          [device.id, device.deviceClassId, JSON.stringify(device)],
        );
      }
      const stored = withOrders(worker, this.find('workers', worker.id) as WorkerRecord | null);
      this.put(stored);
      return stored;
    });
  }

  override addDeviceClass(deviceClass: DeviceClass): Promise<void> {
    return this.connection.write(() => {
      this.connection.run('INSERT INTO device_classes (id, doc) VALUES (?, ?) ON CONFLICT (id) DO NOTHING', [
        deviceClass.id,
        JSON.stringify(deviceClass),
      ]);
    });
  }

  override worker(id: string): Promise<WorkerRecord | null> {
    return this.connection.read(() => this.find('workers', id) as WorkerRecord | null);
  }

  override workers(page: PageQuery): Promise<Page<WorkerRecord>> {
    return this.connection.read(() => inOrderOfId<WorkerRecord>(this.connection, 'workers', {}, page));
  }

  override patchWorker(id: string, patch: Parameters<FleetStore['patchWorker']>[1]): Promise<WorkerRecord> {
    return this.connection.write(() => {
      const before = this.find('workers', id) as WorkerRecord | null;
      if (before === null) throw new StoreError('not-found', `There is no worker ${id}.`);
      const after = { ...before, ...patch };
      this.put(after);
      return after;
    });
  }

  override device(id: string): Promise<Device | null> {
    return this.connection.read(() => this.find('devices', id) as Device | null);
  }

  override devices(filter: { deviceClassId?: string | undefined }, page: PageQuery): Promise<Page<Device>> {
    const columns = { device_class_id: filter.deviceClassId };
    return this.connection.read(() => inOrderOfId<Device>(this.connection, 'devices', columns, page));
  }

  override deviceClass(id: string): Promise<DeviceClass | null> {
    return this.connection.read(() => this.find('device_classes', id) as DeviceClass | null);
  }

  override deviceClasses(page: PageQuery): Promise<Page<DeviceClass>> {
    return this.connection.read(() => inOrderOfId<DeviceClass>(this.connection, 'device_classes', {}, page));
  }

  private put(worker: WorkerRecord): void {
    this.connection.run(
      'INSERT INTO workers (id, doc) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET doc = excluded.doc',
      [worker.id, JSON.stringify(worker)],
    );
  }

  private find(table: 'workers' | 'devices' | 'device_classes', id: string): unknown {
    return this.connection.documents(`SELECT doc FROM ${table} WHERE id = ?`, [id])[0] ?? null;
  }
}
