import type { Device, DeviceClass, Page, PageQuery, Provenance, Worker } from '@alphaflops/contracts';

/** A worker as it is stored. The presence is not stored: it is computed from the last heartbeat on each read. */
export type WorkerRecord = Omit<Worker, 'presence'>;

/** For adapters: returns the worker that replaces `known`, with the operator's commands (`desiredState`) of `known`. */
export function withOrders(worker: WorkerRecord, known: WorkerRecord | null): WorkerRecord {
  return known === null
    ? worker
    : { ...worker, desiredState: known.desiredState, stateReason: known.stateReason };
}

/** Workers, devices and device classes. */
export abstract class FleetStore {
  /**
   * Stores a worker with its devices, their classes and provenance, atomically. Replaces existing records, except
   * `desiredState` and `stateReason` of a worker, which the operator sets. Only `patchWorker` changes these two
   * fields, so that a worker that starts does not undo a command. Returns the worker as it is stored.
   */
  abstract putWorker(
    worker: WorkerRecord,
    devices: readonly Device[],
    classes: readonly DeviceClass[],
    provenance: ReadonlyMap<string, Provenance>,
  ): Promise<WorkerRecord>;

  /** Stores a device class without devices. Does not change an existing device class. */
  abstract addDeviceClass(deviceClass: DeviceClass): Promise<void>;

  abstract worker(id: string): Promise<WorkerRecord | null>;

  abstract workers(page: PageQuery): Promise<Page<WorkerRecord>>;

  /**
   * Changes only the named fields, in one statement, so that a heartbeat and an operator's command do not undo each
   * other.
   * @throws StoreError `not-found` when the worker does not exist
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
