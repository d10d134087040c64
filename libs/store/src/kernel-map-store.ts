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

/** Kernel maps: which kernel cuDNN runs for which shape. Maps are never changed and never removed. */
export abstract class KernelMapStore {
  /**
   * Stores a map with its labels (CSV, compressed with gzip). If a map with this id already exists, keeps and returns
   * that one.
   */
  abstract put(map: KernelMap, labels: Uint8Array): Promise<KernelMap>;

  abstract get(id: string): Promise<KernelMap | null>;

  /** Newest first. */
  abstract list(page: PageQuery): Promise<Page<KernelMap>>;

  /** Returns the labels as they were stored; null when the map does not exist. */
  abstract labels(id: string): Promise<Uint8Array | null>;
}

const CLASS_MATH_MODES: Readonly<Record<string, KernelMapKey['mathMode']>> = {
  cudnn: 'tf32',
  'cudnn-fp32': 'fp32',
};
const PAGE = 100;

/**
 * Returns the versions and modes that determine which kernels the devices of a class run. Returns null when they are
 * unknown, or when something other than the heuristics chooses the kernels.
 */
export async function kernelMapKeyOf(
  deviceClass: DeviceClass,
  fleet: FleetStore,
): Promise<KernelMapKey | null> {
  const mathMode = CLASS_MATH_MODES[deviceClass.executor];
  const { cudnn, 'engine-choice': choice } = deviceClass.libraries;
  if (mathMode === undefined || cudnn === undefined || choice !== 'heuristic') return null;
  const devices = everyItem((page) => fleet.devices({ deviceClassId: deviceClass.id }, page), PAGE);
  for await (const { computeCapability, cudnnDeviceProperties } of devices) {
    // Without the device properties, cuDNN answers no queries outside of a measurement.
    if (computeCapability === undefined || cudnnDeviceProperties === undefined) continue;
    const key = { cudnnVersion: cudnn, computeCapability, heuristicMode: 'instant', mathMode };
    return KernelMapKeySchema.safeParse(key).data ?? null;
  }
  return null;
}

/** Returns the map for a device class; null when no map exists yet, or when no map can exist. */
export async function kernelMapOf(
  deviceClass: DeviceClass,
  fleet: FleetStore,
  maps: KernelMapStore,
): Promise<KernelMap | null> {
  const key = await kernelMapKeyOf(deviceClass, fleet);
  return key === null ? null : await maps.get(kernelMapId(key));
}
