import {
  type KernelLabels,
  KernelLabelsSchema,
  type LabelKernelsJob,
  errorText,
} from '@alphaflops/contracts';
import type { LabelledSpec } from '@alphaflops/dataset';
import { kernelMapShapes } from '@alphaflops/planning/kernel-map-shapes';
import { type Broken, type Delivery, LeaseDesk, type Recorded, type WorkHandler } from '@alphaflops/queue';
import { isSealedBy, labelJobDigest, unpacked } from '@alphaflops/provenance';
import { FleetStore, KernelMapStore } from '@alphaflops/store';
import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { KernelMapsService } from './kernel-maps.service.js';
import { LabelRequests } from './label-requests.js';

type Place = Pick<Broken, 'targetId' | 'id'>;

/** Stores the kernel maps that workers make. The requested shapes are known here, so a worker sends only names of kernels. */
@Injectable()
export class LabelRecorder implements WorkHandler<'label-kernels'>, OnModuleInit {
  private readonly logger = new Logger('kernel-maps');

  constructor(
    private readonly desk: LeaseDesk,
    private readonly fleet: FleetStore,
    private readonly store: KernelMapStore,
    private readonly maps: KernelMapsService,
    private readonly requests: LabelRequests,
  ) {}

  onModuleInit(): void {
    this.desk.handle('label-kernels', this);
  }

  async isDone({ id }: Place): Promise<boolean> {
    return (await this.store.get(id)) !== null;
  }

  async record(delivery: Delivery<'label-kernels'>): Promise<Recorded> {
    const { lease, workerId } = delivery;
    const deviceClass = await this.fleet.deviceClass(lease.targetId);
    const job = deviceClass && (await this.requests.missing(deviceClass));
    // Another class with the same key may have been faster.
    if (job === null) return { kind: 'stored' };
    const labels = await this.believed(job, delivery);
    if (typeof labels === 'string') {
      this.requests.failed(job.mapId);
      this.logger.warn(`The kernel map of ${workerId} was refused: ${labels}`, { map: job.mapId });
      return { kind: 'refused', reason: labels, again: false };
    }
    const map = await this.maps.keep(job.key, labelled(job, labels), workerId);
    this.logger.log('labelled', { map: map.id, shapes: map.shapes, kernels: map.kernels, worker: workerId });
    return { kind: 'stored' };
  }

  recordFailure({ id, reason }: Broken): Promise<void> {
    this.requests.failed(id);
    this.logger.warn(`No worker could make a kernel map: ${reason}`, { map: id });
    return Promise.resolve();
  }

  /** The labels, or the reason for a refusal. */
  private async believed(
    job: LabelKernelsJob,
    { workerId, lease, result: seal, body }: Delivery<'label-kernels'>,
  ): Promise<KernelLabels | string> {
    const worker = await this.fleet.worker(workerId);
    const publicKey = worker?.publicKey ?? null;
    if (worker === null || publicKey === null) return `${workerId} has no signing key`;
    if (worker.desiredState === 'revoked') return `${workerId} is revoked`;
    if (seal.workerId !== workerId || !worker.deviceIds.includes(seal.deviceId)) {
      return `${seal.deviceId} is not a device of ${workerId}`;
    }
    if (seal.attempt !== lease.attempt || seal.batchDigest !== labelJobDigest(job)) {
      return 'it belongs to another job';
    }
    if (!(await isSealedBy({ seal, body }, publicKey))) return `it is not signed by ${workerId}`;
    let labels: KernelLabels;
    try {
      labels = await unpacked(body, KernelLabelsSchema);
    } catch (error) {
      return `it is malformed (${errorText(error)})`;
    }
    const { cudnnVersion, computeCapability } = labels;
    if (cudnnVersion !== job.key.cudnnVersion || computeCapability !== job.key.computeCapability) {
      return `it was made with cuDNN ${cudnnVersion} for compute capability ${computeCapability}`;
    }
    if (labels.labels.length !== job.shapes) {
      return `it labels ${labels.labels.length} shapes instead of ${job.shapes}`;
    }
    return labels.kernels.length > 0 ? labels : 'cuDNN has no kernel for any shape';
  }
}

function labelled({ shapes }: LabelKernelsJob, { kernels, labels }: KernelLabels): LabelledSpec[] {
  return kernelMapShapes(shapes).flatMap((spec, i) => {
    const kernel = kernels[labels[i] ?? -1];
    return kernel === undefined ? [] : [{ spec, kernel }];
  });
}
