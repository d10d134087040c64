import { setTimeout } from 'node:timers/promises';
import { type DeviceClass, kernelMapId, type LabelKernelsJob, errorText } from '@alphaflops/contracts';
import { JobQueue, LeaseDesk, QueueConnection } from '@alphaflops/queue';
import { everyItem, FleetStore, kernelMapKeyOf, KernelMapStore } from '@alphaflops/store';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';

/** Settings of the deployment that kernel maps need. */
export abstract class KernelMapSettings {
  /** Whether this process requests missing kernel maps from workers. */
  abstract readonly asks: boolean;
  /** Shapes of a map that a worker makes; 0: no map is made. */
  abstract readonly shapes: number;
}

const LOOK_EVERY_MS = 5_000;
const PAGE = 100;
/** Time after which a map that no worker could make is requested again. */
const AGAIN_AFTER_MS = 6 * 3600 * 1000;

/**
 * Requests the missing kernel map of each device class from one of its workers. Classes with the same key share one
 * map.
 */
@Injectable()
export class LabelRequests implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('kernel-maps');
  private readonly queues = new Map<string, JobQueue<'label-kernels'>>();
  private readonly failedAtMs = new Map<string, number>();
  private readonly stop = new AbortController();
  private looking: Promise<void> = Promise.resolve();

  constructor(
    private readonly settings: KernelMapSettings,
    private readonly connection: QueueConnection,
    private readonly desk: LeaseDesk,
    private readonly fleet: FleetStore,
    private readonly maps: KernelMapStore,
  ) {}

  onApplicationBootstrap(): void {
    if (this.settings.asks && this.settings.shapes > 0) this.looking = this.lookAgainAndAgain();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stop.abort();
    await this.looking;
    await Promise.all([...this.queues.values()].map((queue) => queue.close()));
  }

  /** The missing map of a device class; null if it has its map, or if no map is possible. */
  async missing(deviceClass: DeviceClass): Promise<LabelKernelsJob | null> {
    const key = await kernelMapKeyOf(deviceClass, this.fleet);
    if (key === null) return null;
    const mapId = kernelMapId(key);
    if ((await this.maps.get(mapId)) !== null) return null;
    return { mapId, targetId: deviceClass.id, key, shapes: this.settings.shapes };
  }

  /** No worker could make the map. It is not requested again for some time. */
  failed(mapId: string): void {
    this.failedAtMs.set(mapId, Date.now());
  }

  private async lookAgainAndAgain(): Promise<void> {
    const { signal } = this.stop;
    let lastTrouble = '';
    while (!signal.aborted) {
      try {
        await this.look();
        lastTrouble = '';
      } catch (error) {
        const text = errorText(error);
        if (text !== lastTrouble) this.logger.error(`Cannot request kernel maps, retrying: ${text}`);
        lastTrouble = text;
      }
      await setTimeout(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  private async look(): Promise<void> {
    const requested = new Set<string>();
    for await (const deviceClass of everyItem((page) => this.fleet.deviceClasses(page), PAGE)) {
      if (this.stop.signal.aborted) return;
      const job = await this.missing(deviceClass);
      if (job === null || requested.has(job.mapId) || this.isTooSoon(job.mapId)) continue;
      requested.add(job.mapId);
      await this.ask(job);
    }
  }

  private isTooSoon(mapId: string): boolean {
    return Date.now() - (this.failedAtMs.get(mapId) ?? -Infinity) < AGAIN_AFTER_MS;
  }

  /** A repeated request has no effect while the job is queued or running. */
  private async ask(job: LabelKernelsJob): Promise<void> {
    const { mapId, targetId } = job;
    let queue = this.queues.get(targetId);
    if (queue === undefined) {
      queue = new JobQueue('label-kernels', this.connection, { targetId });
      this.queues.set(targetId, queue);
      // A job of a lost worker returns to the queue also if no worker requests work.
      this.desk.queue('label-kernels', targetId);
    }
    await queue.submit([{ id: mapId, payload: job }]);
  }
}
