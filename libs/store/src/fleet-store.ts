import type { Device, DeviceClass, Page, PageQuery, Provenance, Worker } from '@alphaflops/contracts';

/** A worker as stored: presence is derived from the last heartbeat when it is read. */
export type WorkerRecord = Omit<Worker, 'presence'>;

/** For adapters: a worker that is stored over `known`, with what the operator wants of it now. */
export function withOrders(worker: WorkerRecord, known: WorkerRecord | null): WorkerRecord {
  return known === null
    ? worker
    : { ...worker, desiredState: known.desiredState, stateReason: known.stateReason };
}

/** Workers, devices and device classes. */
export abstract class FleetStore {
  /**
   * Stores a worker with its devices, their classes and provenance, all or nothing. Existing records are replaced, except
   * what the operator wants of a worker (`desiredState`, `stateReason`): `patchWorker` alone changes it, so that a worker
   * that starts does not undo a command. Returns the worker as it is stored.
   */
  abstract putWorker(
    worker: WorkerRecord,
    devices: readonly Device[],
    classes: readonly DeviceClass[],
    provenance: ReadonlyMap<string, Provenance>,
  ): Promise<WorkerRecord>;

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
