import type { Device, DeviceClass, Page, PageQuery, Provenance, Worker } from '@alphaflops/contracts';

/** A worker as stored: presence is derived from the last heartbeat when it is read. */
export type WorkerRecord = Omit<Worker, 'presence'>;

/** Workers, devices and device classes. */
export abstract class FleetStore {
  /** Stores a worker with its devices, their classes and provenance, all or nothing; existing records are replaced. */
  abstract putWorker(
    worker: WorkerRecord,
    devices: readonly Device[],
    classes: readonly DeviceClass[],
    provenance: ReadonlyMap<string, Provenance>,
  ): Promise<void>;

  /** Stores a device class without a device of it; one that is there stays as it is. */
  abstract addDeviceClass(deviceClass: DeviceClass): Promise<void>;

  abstract worker(id: string): Promise<WorkerRecord | null>;

  abstract workers(page: PageQuery): Promise<Page<WorkerRecord>>;

  /**
   * Changes only the named fields, in one statement, so that a heartbeat and an operator's command do not undo each
   * other. Throws `StoreError('not-found')`.
   */
  abstract patchWorker(
    id: string,
    patch: Partial<
      Pick<
        WorkerRecord,
        | 'desiredState'
        | 'stateReason'
        | 'lastHeartbeatAt'
        | 'activity'
        | 'disturbance'
        | 'labels'
        | 'name'
        | 'version'
      >
    >,
  ): Promise<WorkerRecord>;

  abstract device(id: string): Promise<Device | null>;

  abstract devices(filter: { deviceClassId?: string | undefined }, page: PageQuery): Promise<Page<Device>>;

  abstract deviceClass(id: string): Promise<DeviceClass | null>;

  abstract deviceClasses(page: PageQuery): Promise<Page<DeviceClass>>;
}
