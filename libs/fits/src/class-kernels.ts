import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { type DeviceClass, kernelMapId } from '@alphaflops/contracts';
import { readKernelLabels } from '@alphaflops/dataset';
import type { FitOptions } from '@alphaflops/models';
import { FleetStore, kernelMapKeyOf, KernelMapStore } from '@alphaflops/store';
import { Injectable } from '@nestjs/common';

/** What is known of the kernels of a device class: the classifier of kernels learns from its map. */
@Injectable()
export class ClassKernels {
  constructor(
    private readonly fleet: FleetStore,
    private readonly maps: KernelMapStore,
  ) {}

  /** Without labels where the class has no map. */
  async of(deviceClass: DeviceClass): Promise<Pick<FitOptions, 'kernelMap' | 'kernelLabels'>> {
    const key = await kernelMapKeyOf(deviceClass, this.fleet);
    if (key === null) return {};
    const map = await this.maps.get(kernelMapId(key));
    const labels = map && (await this.maps.labels(map.id));
    if (map === null || labels === null) return { kernelMap: { key, digest: null } };
    const csv = (await promisify(gunzip)(labels)).toString();
    return {
      kernelMap: { key, digest: map.digest },
      kernelLabels: await readKernelLabels(csv, map.id),
    };
  }
}
