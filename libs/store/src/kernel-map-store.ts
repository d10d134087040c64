import {
  type DeviceClass,
  kernelMapId,
  KernelMapKeySchema,
  type KernelMap,
  type KernelMapKey,
  type Page,
  type PageQuery,
} from '@alphaflops/contracts';
import type { FleetStore } from './fleet-store.js';
import { everyItem } from './paging.js';

/** Kernel maps: which kernel cuDNN runs for which shape. Never changed, never removed. */
export abstract class KernelMapStore {
  /**
   * Keeps a map with its labels (CSV, compressed with gzip). When there is one with this id, that one stays and is
   * returned.
   */
  abstract put(map: KernelMap, labels: Uint8Array): Promise<KernelMap>;

  abstract get(id: string): Promise<KernelMap | null>;

  /** Newest first. */
  abstract list(page: PageQuery): Promise<Page<KernelMap>>;

  /** The labels as they were given; null when there is no such map. */
  abstract labels(id: string): Promise<Uint8Array | null>;
}

const CLASS_MATH_MODES: Readonly<Record<string, KernelMapKey['mathMode']>> = {
  cudnn: 'tf32',
  'cudnn-fp32': 'fp32',
};
const PAGE = 100;

/** By what the kernels of a device class are chosen; null where that is not known, or not by the heuristics alone. */
export async function kernelMapKeyOf(
  deviceClass: DeviceClass,
  fleet: FleetStore,
): Promise<KernelMapKey | null> {
  const mathMode = CLASS_MATH_MODES[deviceClass.executor];
  const { cudnn, 'engine-choice': choice } = deviceClass.libraries;
  if (mathMode === undefined || cudnn === undefined || choice !== 'heuristic') return null;
  const devices = everyItem((page) => fleet.devices({ deviceClassId: deviceClass.id }, page), PAGE);
  for await (const { computeCapability, cudnnDeviceProperties } of devices) {
    // without the properties cuDNN cannot be asked outside of a measurement
    if (computeCapability === undefined || cudnnDeviceProperties === undefined) continue;
    const key = { cudnnVersion: cudnn, computeCapability, heuristicMode: 'instant', mathMode };
    return KernelMapKeySchema.safeParse(key).data ?? null;
  }
  return null;
}

/** The map that serves a device class; null where no map exists yet, or none can exist. */
export async function kernelMapOf(
  deviceClass: DeviceClass,
  fleet: FleetStore,
  maps: KernelMapStore,
): Promise<KernelMap | null> {
  const key = await kernelMapKeyOf(deviceClass, fleet);
  return key === null ? null : await maps.get(kernelMapId(key));
}
