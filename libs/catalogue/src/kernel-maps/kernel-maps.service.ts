import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import {
  type DeviceClass,
  type KernelMap,
  kernelMapId,
  type KernelMapImport,
  type KernelMapKey,
  MAX_KERNEL_MAP_SHAPES,
} from '@alphaflops/contracts';
import { specKey } from '@alphaflops/conv';
import { type LabelledSpec, readKernelLabels, writeKernelLabels } from '@alphaflops/dataset';
import { FleetStore, kernelMapOf, KernelMapStore, StoreError } from '@alphaflops/store';
import { Injectable } from '@nestjs/common';

/** Kernel maps: docs/decisions/0021-kernel-maps.md. */
@Injectable()
export class KernelMapsService {
  constructor(
    private readonly maps: KernelMapStore,
    private readonly fleet: FleetStore,
  ) {}

  /** The maps that serve device classes; one map may serve several classes. */
  async ofClasses(classes: readonly DeviceClass[]): Promise<KernelMap[]> {
    const found = await Promise.all(classes.map((one) => kernelMapOf(one, this.fleet, this.maps)));
    const byId = new Map(found.flatMap((map) => (map === null ? [] : [[map.id, map] as const])));
    return [...byId.values()];
  }

  /** @throws StoreError `not-found` */
  async get(id: string): Promise<KernelMap> {
    const map = await this.maps.get(id);
    if (map === null) throw missing(id);
    return map;
  }

  /** The labels as CSV. @throws StoreError `not-found` */
  async csv(id: string): Promise<Buffer> {
    const labels = await this.maps.labels(id);
    if (labels === null) throw missing(id);
    return await promisify(gunzip)(labels);
  }

  /**
   * @throws DatasetError when the labels cannot be read
   * @throws RangeError for an empty list and for a list that is too long
   * @throws StoreError `conflict` when a map with this key has other labels
   */
  async import({ csv, ...key }: KernelMapImport): Promise<KernelMap> {
    const labels = await readKernelLabels(csv, 'csv');
    if (labels.length === 0 || labels.length > MAX_KERNEL_MAP_SHAPES) {
      throw new RangeError(
        `The labels name the kernels of ${labels.length} shapes; a map has 1 to ${MAX_KERNEL_MAP_SHAPES}. ` +
          'Expected a column kernel, as "alphaflops kernels label" writes it.',
      );
    }
    const map = await this.keep(key, labels, null);
    if (map.digest === sha256(await csvOf(labels))) return map;
    throw new StoreError('conflict', `Kernel map ${map.id} exists with other labels, and maps never change.`);
  }

  /** Stores a map. If a map with this key exists, it stays. */
  async keep(
    key: KernelMapKey,
    labels: readonly LabelledSpec[],
    workerId: string | null,
  ): Promise<KernelMap> {
    const csv = await csvOf(labels);
    const map: KernelMap = {
      id: kernelMapId(key),
      ...key,
      shapes: new Set(labels.map(({ spec }) => specKey(spec))).size,
      kernels: new Set(labels.map(({ kernel }) => kernel)).size,
      digest: sha256(csv),
      workerId,
      createdAt: new Date().toISOString(),
    };
    return await this.maps.put(map, await promisify(gzip)(csv));
  }
}

async function csvOf(labels: readonly LabelledSpec[]): Promise<string> {
  const pieces: string[] = [];
  for await (const piece of writeKernelLabels(labels)) pieces.push(piece);
  return pieces.join('');
}

const missing = (id: string): StoreError => new StoreError('not-found', `There is no kernel map ${id}.`);

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
