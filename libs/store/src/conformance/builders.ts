import { createHash, randomUUID } from 'node:crypto';
import {
  CampaignSchema,
  DatasetSchema,
  DeviceClassSchema,
  DeviceSchema,
  ModelSchema,
  OUTCOMES,
  ProvenanceSchema,
  SampleSchema,
  WorkerSchema,
  type Campaign,
  type Device,
  type DeviceClass,
  type OutcomeCounts,
  type Provenance,
  type Sample,
} from '@alphaflops/contracts';
import { specKey, type ConvSpec } from '@alphaflops/conv';
import type { TokenRecord } from '../access-store.js';
import type { WorkerRecord } from '../fleet-store.js';
import type { DatasetDraft } from '../dataset-store.js';
import type { ModelDraft } from '../model-store.js';

/**
 * Builders of records as the product stores them. Each record is checked with its schema. `overrides` replace whole
 * fields.
 */

const NOON = '2026-03-01T12:00:00.000Z';

/** A moment `ms` milliseconds after the builders' noon, ISO 8601. */
export function timeAt(ms: number): string {
  return new Date(Date.parse(NOON) + ms).toISOString();
}

/** Distinct valid ConvSpecs by index. */
export function buildSpec(index: number): ConvSpec {
  return {
    batch: 1,
    height: 7 + (index % 200),
    width: 7 + (Math.floor(index / 200) % 200),
    cin: 16,
    cout: 32,
    kernel_h: 3,
    kernel_w: 3,
    stride: 1,
    groups: 1,
    dtype: 'f32',
    padding: 'same',
    layout: 'NHWC',
  };
}

const PROTOCOL = {
  name: 'cpu-hot',
  version: 1,
  mode: 'hot',
  warmUpMinRuns: 3,
  warmUpTolerance: 0.05,
  warmUpMaxMs: 1000,
  minBatchMs: 20,
  minBatches: 9,
  maxRelativeStandardError: 0.005,
  maxTotalMs: 2000,
  noisyRelativeStandardError: 0.05,
  specTimeLimitMs: 60_000,
  throttleRetries: 3,
  minClockShare: 0.75,
  checkOutput: true,
} as const;

export function buildCampaign(overrides: Partial<Campaign> = {}): Campaign {
  return CampaignSchema.parse({
    id: `campaign-${randomUUID()}`,
    name: 'Network-like shapes, spring',
    state: 'draft',
    history: [{ state: 'draft', at: NOON, reason: 'created' }],
    request: {
      name: 'Network-like shapes, spring',
      design: { name: 'networklike', seed: 7 },
      target: { kind: 'device-class', deviceClassId: 'class-a' },
      budget: { specs: 150 },
    },
    deviceClassId: 'class-a',
    targetIds: ['class-a'],
    protocol: PROTOCOL,
    batchSize: 16,
    plannedSpecs: 0,
    plannedSlots: 0,
    excluded: {},
    modelId: null,
    createdAt: NOON,
    updatedAt: NOON,
    ...overrides,
  });
}

export function buildProvenance(hostname = 'node-1'): { id: string; record: Provenance } {
  const record = ProvenanceSchema.parse({
    schema: 'alphaflops.provenance/1',
    device: { uuid: 'cpu-0f3a', memoryBytes: 8_000_000_000, ecc: false, l2Bytes: null },
    executor: { name: 'tfjs-wasm', version: '4.22.0' },
    libraries: { '@tensorflow/tfjs-core': '4.22.0' },
    mathMode: 'f32',
    worker: { version: '0.1.0', commit: null, dirty: null },
    host: { hostname, cpu: 'a “fast” CPU', os: 'Debian 12', kernel: '6.1.0', node: '20.20.2' },
  });
  return { id: createHash('sha256').update(JSON.stringify(record)).digest('hex'), record };
}

/** A sample with a timing when its outcome is ok, without one otherwise. */
export function buildSample(overrides: Partial<Sample> = {}): Sample {
  const specIndex = overrides.specIndex ?? 0;
  const outcome = overrides.outcome ?? 'ok';
  const spec = buildSpec(specIndex);
  const conditions = {
    smClockMhz: null,
    maxSmClockMhz: null,
    temperatureC: 51.5,
    powerW: null,
    throttleReasons: [],
    otherProcesses: null,
    hostLoad1: 0.1 + 0.2,
  };
  return SampleSchema.parse({
    id: `sample-${randomUUID()}`,
    campaignId: 'campaign-a',
    targetId: 'class-a',
    specIndex,
    replicate: 0,
    attempt: 1,
    batchIndex: 0,
    specKey: specKey(spec),
    spec,
    deviceId: 'device-a',
    deviceClassId: 'class-a',
    workerId: 'worker-a',
    protocol: { name: PROTOCOL.name, version: PROTOCOL.version },
    provenanceId: buildProvenance().id,
    outcome,
    reason: outcome === 'ok' ? null : `the executor reported “${outcome}”`,
    timing: outcome === 'ok' ? buildTiming(specIndex) : null,
    conditions: { before: conditions, after: { ...conditions, throttleReasons: ['thermal'] } },
    algorithm: null,
    workspaceBytes: null,
    // A drifted sample has left its slot.
    ...(outcome === 'drifted' && { setAside: 1 }),
    startedAt: NOON,
    recordedAt: timeAt(1000),
    ...overrides,
  });
}

function buildTiming(seed: number): Sample['timing'] {
  const batchTimesMs = Array.from({ length: 11 }, (_, i) => (seed + 1) / 3 + i * 1e-4);
  const median = batchTimesMs[5] ?? 1;
  return {
    timeMs: median,
    timeMinMs: batchTimesMs[0] ?? 1,
    timeQ25Ms: batchTimesMs[2] ?? 1,
    timeQ75Ms: batchTimesMs[8] ?? 1,
    timeMeanMs: median,
    cv: 0.001,
    repetitions: batchTimesMs.length,
    innerIterations: 12,
    warmUpRuns: 3,
    batchTimesMs,
    stoppedBy: 'relative-standard-error',
    eagerMs: null,
    energyMillijoules: null,
  };
}

/** `count` samples of one batch: spec indexes from `from` on. */
export function buildBatch(count: number, from = 0, overrides: Partial<Sample> = {}): Sample[] {
  return Array.from({ length: count }, (_, i) => buildSample({ specIndex: from + i, ...overrides }));
}

export function buildWorker(overrides: Partial<WorkerRecord> = {}): WorkerRecord {
  return WorkerSchema.omit({ presence: true }).parse({
    id: `worker-${randomUUID()}`,
    name: 'rack 3, node 1',
    labels: { room: 'B', 'lab/owner': 'Zoë' },
    version: '0.1.0',
    deviceIds: [],
    desiredState: 'active',
    stateReason: null,
    activity: 'idle',
    enrolledAt: NOON,
    lastHeartbeatAt: null,
    ...overrides,
  });
}

export function buildDevice(overrides: Partial<Device> = {}): Device {
  return DeviceSchema.parse({
    id: `device-${randomUUID()}`,
    uuid: 'cpu-0f3a',
    sku: 'a fast CPU',
    deviceClassId: 'class-a',
    workerId: 'worker-a',
    provenanceId: buildProvenance().id,
    createdAt: NOON,
    updatedAt: NOON,
    ...overrides,
  });
}

export function buildDeviceClass(overrides: Partial<DeviceClass> = {}): DeviceClass {
  return DeviceClassSchema.parse({
    id: `class-${randomUUID()}`,
    sku: 'a fast CPU',
    kind: 'cpu',
    executor: 'tfjs-wasm',
    libraries: { '@tensorflow/tfjs-core': '4.22.0' },
    mathMode: 'f32',
    smCount: null,
    memoryBytes: 8_000_000_000,
    createdAt: NOON,
    ...overrides,
  });
}

/** A valid join token with unlimited uses. */
export function buildToken(overrides: Partial<TokenRecord> = {}): TokenRecord {
  const id = `token-${randomUUID()}`;
  return {
    id,
    kind: 'join',
    hash: createHash('sha256').update(id).digest('hex'),
    name: 'for rack 3',
    labels: { room: 'B' },
    workerId: null,
    createdAt: NOON,
    expiresAt: null,
    maxUses: null,
    uses: 0,
    revokedAt: null,
    ...overrides,
  };
}

export function buildModelDraft(overrides: Partial<ModelDraft> = {}): ModelDraft {
  const draft = ModelSchema.omit({ id: true, version: true }).parse({
    schema: 'alphaflops.model/1',
    deviceClassId: 'class-a',
    campaignId: null,
    chosenForm: 'alpha',
    forms: [{ form: 'alpha', groups: [], heldOut: null, extra: { trees: [[1, 0.5, null]] } }],
    interval: { coverage: 0.9, logHalfWidth: 0.25, logHalfWidthOutside: null },
    domain: { height: { min: 1, max: 224 } },
    device: {},
    data: { digest: 'd'.repeat(64), samples: 120, shapes: 118, excluded: { timeout: 2 } },
    protocol: PROTOCOL,
    design: 'networklike',
    seed: 7,
    notes: ['β and γ are not identifiable on one thread'],
    codeVersion: '0.1.0',
    createdAt: NOON,
    ...overrides,
  });
  return { ...draft, deviceClassId: overrides.deviceClassId ?? 'class-a' };
}

export function buildDatasetDraft(overrides: Partial<DatasetDraft> = {}): DatasetDraft {
  return DatasetSchema.omit({ version: true }).parse({
    schema: 'alphaflops.dataset/1',
    id: createHash('sha256').update(randomUUID()).digest('hex'),
    name: 'samples',
    title: 'Times of “convolutions”',
    description: '',
    licence: 'cc-by-4.0',
    creators: ['Zoë'],
    createdAt: NOON,
    codeVersion: '0.1.0',
    filter: { deviceClassId: 'class-a' },
    rows: 12,
    signedRows: 11,
    importedRows: 1,
    leftOut: { timeout: 2 },
    recordedFrom: NOON,
    recordedTo: timeAt(1000),
    deviceClasses: [buildDeviceClass({ id: 'class-a' })],
    protocols: [{ name: PROTOCOL.name, version: PROTOCOL.version, rows: 12 }],
    provenanceIds: [],
    workers: [],
    fitInputs: [],
    ...overrides,
  });
}

/** The result that `SampleStore.counts` must return for these samples. */
export function countOutcomes(samples: readonly Sample[]): OutcomeCounts {
  const counts = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])) as OutcomeCounts;
  for (const sample of samples) counts[sample.outcome] += 1;
  return counts;
}
