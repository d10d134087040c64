import type { Device, DeviceClass, DeviceDescription } from '@alphaflops/contracts';
import { digestOf, provenanceId } from './digest.js';

function slug(text: string, length: number): string {
  const words = text.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return words.slice(0, length).replace(/^-+|-+$/g, '') || 'device';
}

/**
 * Returns the id of a worker, which follows from its signing key, so that a node without a network can compute it.
 * @param publicKey in the form of `Worker.publicKey`
 */
export function workerIdOf(publicKey: string): string {
  return `worker-${digestOf(publicKey).slice(0, 12)}`;
}

/**
 * Returns the class of a device. A model of one device must be valid for the other devices of its class, so the class
 * depends on SKU, executor, libraries and math mode.
 */
export function deviceClassOf(description: DeviceDescription, createdAt: string): DeviceClass {
  const { sku, kind, executor, smCount, memoryBytes, provenance } = description;
  const { libraries, mathMode } = provenance;
  const identity = digestOf([sku, executor, libraries, mathMode]);
  return {
    id: `${slug(`${executor}-${sku}`, 56)}-${identity.slice(0, 8)}`,
    sku,
    kind,
    executor,
    libraries,
    mathMode,
    smCount,
    memoryBytes,
    createdAt,
  };
}

/**
 * Returns the record of a physical device for one executor. A new driver moves the device to another class, but does
 * not change its id.
 */
export function deviceOf(
  description: DeviceDescription,
  deviceClassId: string,
  workerId: string,
  now: string,
): Device {
  const { uuid, sku, executor, provenance, computeCapability, cudnnDeviceProperties } = description;
  return {
    id: `${slug(executor, 24)}-${digestOf([uuid, executor]).slice(0, 12)}`,
    uuid,
    sku,
    deviceClassId,
    workerId,
    provenanceId: provenanceId(provenance),
    ...(computeCapability !== undefined && { computeCapability }),
    ...(cudnnDeviceProperties !== undefined && { cudnnDeviceProperties }),
    createdAt: now,
    updatedAt: now,
  };
}
