import {
  DeviceClassSchema,
  DeviceDescriptionSchema,
  DeviceSchema,
  EnrolmentRequestSchema,
  EnrolmentSchema,
  HeartbeatRequestSchema,
  HeartbeatSchema,
  ProvenanceSchema,
  SessionRequestSchema,
  SessionSchema,
  VERSION,
  WORKER_PROTOCOL_VERSION,
  WorkerSchema,
} from '@alphaflops/contracts';
import { provenanceId } from '@alphaflops/provenance';
import { exampleOf } from './example.js';

/** Of RFC 8037, appendix A.2. */
const publicKey = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo';
const sku = 'NVIDIA H100 80GB HBM3';
const smCount = 132;
const memoryBytes = 85_520_809_984;
const uuid = 'GPU-3c6f8a10-94e2-5b7d-a1c8-0e5d7f2b9a46';

export const provenance = exampleOf(ProvenanceSchema, {
  schema: 'alphaflops.provenance/1',
  device: { uuid, sku, smCount, memoryBytes, driver: '570.86.15', computeCapability: '9.0' },
  executor: { name: 'cudnn', version: VERSION },
  libraries: {
    cuda: '12.8',
    cudnn: '9.7.1',
    'cudnn-api': 'graph',
    'engine-choice': 'heuristic',
    timer: 'graph replay',
  },
  mathMode: 'tf32',
  worker: { version: VERSION, commit: null, dirty: null },
  host: {
    hostname: 'node-04',
    cpu: 'AMD EPYC 9654 96-Core Processor',
    os: 'Debian GNU/Linux 12 (bookworm)',
    kernel: '6.1.0-31-amd64',
    node: 'v22.14.0',
  },
});

const description = exampleOf(DeviceDescriptionSchema, {
  uuid,
  sku,
  kind: 'gpu',
  executor: 'cudnn',
  memoryBytes,
  smCount,
  provenance,
});

export const deviceClass = exampleOf(DeviceClassSchema, {
  id: 'cudnn-nvidia-h100-80gb-hbm3-a78c76fb',
  sku,
  kind: 'gpu',
  executor: 'cudnn',
  libraries: provenance.libraries,
  mathMode: provenance.mathMode,
  smCount,
  memoryBytes,
  createdAt: '2026-03-02T09:06:00.000Z',
});

export const worker = exampleOf(WorkerSchema, {
  id: 'worker-7be2f7d1c604',
  name: 'node-04',
  labels: { site: 'lab-1' },
  version: VERSION,
  deviceIds: ['cudnn-5ea80393613f'],
  desiredState: 'active',
  stateReason: null,
  presence: 'online',
  activity: 'measuring',
  enrolledAt: '2026-03-02T09:06:00.000Z',
  lastHeartbeatAt: '2026-03-02T09:31:10.000Z',
  publicKey,
});

export const device = exampleOf(DeviceSchema, {
  id: 'cudnn-5ea80393613f',
  uuid,
  sku,
  deviceClassId: deviceClass.id,
  workerId: worker.id,
  provenanceId: provenanceId(provenance),
  createdAt: '2026-03-02T09:06:00.000Z',
  updatedAt: '2026-03-02T09:06:00.000Z',
});

const versions = { version: VERSION, protocolVersion: WORKER_PROTOCOL_VERSION };

exampleOf(EnrolmentRequestSchema, {
  name: worker.name,
  ...versions,
  publicKey,
  labels: worker.labels,
  devices: [description],
});

exampleOf(EnrolmentSchema, { worker, workerToken: 'af_worker_EXAMPLE' });

exampleOf(SessionRequestSchema, { ...versions, devices: [description] });

exampleOf(SessionSchema, {
  worker,
  devices: [{ uuid, executor: 'cudnn', deviceId: device.id, deviceClassId: deviceClass.id }],
  heartbeatS: 10,
});

exampleOf(HeartbeatRequestSchema, {
  activity: 'measuring',
  protocolVersion: WORKER_PROTOCOL_VERSION,
});

exampleOf(HeartbeatSchema, { desiredState: 'active', reason: null });
