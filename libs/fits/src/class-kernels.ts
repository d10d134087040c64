import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { type DeviceClass, kernelMapId } from '@alphaflops/contracts';
import { readKernelLabels } from '@alphaflops/dataset';
import type { FitOptions } from '@alphaflops/models';
import { FleetStore, kernelMapKeyOf, KernelMapStore } from '@alphaflops/store';
import { Injectable } from '@nestjs/common';

/** Known kernels of a device class. The classifier of kernels learns from the map of the class. */
@Injectable()
export class ClassKernels {
  constructor(
    private readonly fleet: FleetStore,
    private readonly maps: KernelMapStore,
  ) {}

  /** Without labels if the class has no map. */
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
