import { createHash } from 'node:crypto';
import {
  type DeviceDescription,
  type EnrolmentRequest,
  WORKER_PROTOCOL_VERSION,
} from '@alphaflops/contracts';
import { buildProvenance } from '@alphaflops/store/conformance';

export const PUBLIC_KEY = 'k'.repeat(43);

/** The stored form of a secret. */
export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** A processor, as `executor` describes it. */
export function processor(executor: string, libraryVersion = '4.22.0'): DeviceDescription {
  const { record } = buildProvenance();
  return {
    ...{ uuid: 'cpu-0f3a', sku: 'a fast CPU', kind: 'cpu', executor, memoryBytes: 8e9, smCount: null },
    provenance: { ...record, libraries: { '@tensorflow/tfjs-core': libraryVersion } },
  };
}

/** The request of a worker with one device. */
export function request(part: Partial<EnrolmentRequest> = {}): EnrolmentRequest {
  return {
    ...{ name: 'node 1', version: '0.1.0', protocolVersion: WORKER_PROTOCOL_VERSION, publicKey: PUBLIC_KEY },
    ...{ labels: {}, devices: [processor('tfjs-cpu')] },
    ...part,
  };
}
