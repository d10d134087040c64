import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { DeviceClass, KernelMapKey } from '@alphaflops/contracts';
import { type LabelledSpec, readKernelLabels } from '@alphaflops/dataset';
import { FleetStore, kernelMapKeyOf, kernelMapOf, KernelMapStore } from '@alphaflops/store';
import { Injectable } from '@nestjs/common';

/** What the kernel map of a device class says: the classifier of kernels learns from it. */
@Injectable()
export class ClassKernels {
  constructor(
    private readonly fleet: FleetStore,
    private readonly maps: KernelMapStore,
  ) {}

  /** By what the kernels of a class are chosen; null: not known. */
  keyOf(deviceClass: DeviceClass): Promise<KernelMapKey | null> {
    return kernelMapKeyOf(deviceClass, this.fleet);
  }

  /** Labelled shapes. Empty where the class has no map. */
  async of(deviceClass: DeviceClass): Promise<LabelledSpec[]> {
    const map = await kernelMapOf(deviceClass, this.fleet, this.maps);
    const labels = map && (await this.maps.labels(map.id));
    if (map === null || labels === null) return [];
    return await readKernelLabels((await promisify(gunzip)(labels)).toString(), map.id);
  }
}
