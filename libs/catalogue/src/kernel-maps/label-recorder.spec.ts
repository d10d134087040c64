import { generateKeyPairSync } from 'node:crypto';
import { type KernelLabels, kernelMapId, type KernelMap, type Worker } from '@alphaflops/contracts';
import { DatasetError } from '@alphaflops/dataset';
import type { Delivery, LeaseDesk } from '@alphaflops/queue';
import { labelJobDigest, seal } from '@alphaflops/provenance';
import { type FleetStore, type KernelMapStore } from '@alphaflops/store';
import { Logger } from '@nestjs/common';
import { KernelMapsService } from './kernel-maps.service.js';
import { LabelRecorder } from './label-recorder.js';
import type { LabelRequests } from './label-requests.js';

const key = {
  ...{ cudnnVersion: '9.19.0', computeCapability: '9.0' },
  ...({ heuristicMode: 'instant', mathMode: 'tf32' } as const),
};
const job = { mapId: kernelMapId(key), targetId: 'class-a', key, shapes: 20 };
const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const worker = {
  ...{ id: 'worker-a', desiredState: 'active', deviceIds: ['device-a'] },
  publicKey: publicKey.export({ format: 'jwk' }).x ?? null,
} as Worker;
const LABELS: KernelLabels = {
  ...{ cudnnVersion: '9.19.0', computeCapability: '9.0', kernels: ['eng1', 'eng2_k2=4'] },
  labels: Array.from({ length: job.shapes }, (_, i) => (i === 3 ? -1 : i % 2)),
};

function deployment() {
  const kept = new Map<string, { map: KernelMap; labels: Uint8Array }>();
  const maps: KernelMapStore = {
    put: (map, labels) => {
      if (!kept.has(map.id)) kept.set(map.id, { map, labels });
      return Promise.resolve(kept.get(map.id)?.map ?? map);
    },
    get: (id) => Promise.resolve(kept.get(id)?.map ?? null),
    list: () => Promise.resolve({ items: [...kept.values()].map(({ map }) => map), nextCursor: null }),
    labels: (id) => Promise.resolve(kept.get(id)?.labels ?? null),
  };
  const fleet = {
    worker: () => Promise.resolve(worker),
    deviceClass: () => Promise.resolve({ id: 'class-a' }),
  } as unknown as FleetStore;
  const failed: string[] = [];
  const requests = {
    missing: () => Promise.resolve(kept.has(job.mapId) ? null : job),
    failed: (id: string) => failed.push(id),
  } as unknown as LabelRequests;
  const service = new KernelMapsService(maps, fleet);
  const recorder = new LabelRecorder(null as unknown as LeaseDesk, fleet, maps, service, requests);
  return { maps, service, recorder, failed };
}

async function delivered(labels: unknown, digest = labelJobDigest(job)): Promise<Delivery<'label-kernels'>> {
  const label = { workerId: worker.id, deviceId: 'device-a', attempt: 1, batchDigest: digest };
  const { seal: result, body } = await seal(label, labels, privateKey);
  const lease = { job: 'label-kernels', targetId: 'class-a', id: job.mapId, token: 't', attempt: 1 } as const;
  return { lease, workerId: worker.id, standing: 'held', result, body, receivedAtMs: 0 };
}

beforeAll(() => {
  Logger.overrideLogger(false);
});

describe('labels from a worker', () => {
  it('become the map of the class: the planned shapes with their kernels, without shapes that have no kernel', async () => {
    const { maps, service, recorder } = deployment();
    expect(await recorder.record(await delivered(LABELS))).toEqual({ kind: 'stored' });
    expect(await maps.get(job.mapId)).toMatchObject({ ...key, shapes: 19, kernels: 2, workerId: 'worker-a' });
    const [header, ...rows] = (await service.csv(job.mapId)).toString().trimEnd().split('\n');
    expect(header).toMatch(/^batch,height,.*,kernel$/);
    expect(rows.map((row) => row.split(',').at(-1))).toEqual(
      Array.from({ length: 19 }, (_, i) => ((i < 3 ? i : i + 1) % 2 === 0 ? 'eng1' : 'eng2_k2=4')),
    );
    // A second worker was equally fast: the stored map stays.
    expect(await recorder.record(await delivered({ ...LABELS, kernels: ['eng8', 'eng9'] }))).toEqual({
      kind: 'stored',
    });
    expect(await recorder.isDone({ targetId: 'class-a', id: job.mapId })).toBe(true);
    expect((await service.csv(job.mapId)).toString()).not.toContain('eng8');
  });

  it.each<[string, unknown, RegExp]>([
    ['another cuDNN', { ...LABELS, cudnnVersion: '9.24.0' }, /with cuDNN 9\.24\.0/],
    ['another compute capability', { ...LABELS, computeCapability: '8.0' }, /compute capability 8\.0/],
    ['shapes that are missing', { ...LABELS, labels: [0, 1] }, /2 shapes instead of 20/],
    ['a kernel that has no name', { ...LABELS, kernels: ['eng1'] }, /malformed \(labels/],
    ['no kernel at all', { ...LABELS, kernels: [], labels: LABELS.labels.map(() => -1) }, /no kernel/],
  ])('are refused with %s', async (_, labels, reason) => {
    const { maps, recorder, failed } = deployment();
    const recorded = await recorder.record(await delivered(labels));
    expect(recorded).toMatchObject({ kind: 'refused', again: false });
    expect(recorded).toMatchObject({ reason: expect.stringMatching(reason) as string });
    expect(await maps.get(job.mapId)).toBeNull();
    expect(failed).toEqual([job.mapId]);
  });

  it('are refused when they belong to another job, or were changed after sealing', async () => {
    const { recorder } = deployment();
    const other = await delivered(LABELS, labelJobDigest({ ...job, shapes: 21 }));
    expect(await recorder.record(other)).toMatchObject({ reason: 'it belongs to another job' });
    const own = await delivered(LABELS);
    const changed = { ...own, body: (await delivered({ ...LABELS, kernels: ['eng1', 'eng7'] })).body };
    expect(await recorder.record(changed)).toMatchObject({ reason: 'it is not signed by worker-a' });
  });
});

describe('imported labels', () => {
  const CSV = 'height,width,cin,cout,kernel_h,kernel_w,kernel\n9,12,6,10,3,2,eng46_k2=4\n9,13,6,10,3,2,\n';

  it('are stored as a map by their key, and a repetition changes nothing', async () => {
    const { service } = deployment();
    const map = await service.import({ ...key, csv: CSV });
    expect(map).toMatchObject({
      id: 'cudnn-9.19.0-cc-9.0-instant-tf32',
      shapes: 1,
      kernels: 1,
      workerId: null,
    });
    expect(await service.import({ ...key, csv: (await service.csv(map.id)).toString() })).toEqual(map);
  });

  it('are refused if a map with other labels exists, and without any label', async () => {
    const { service } = deployment();
    await service.import({ ...key, csv: CSV });
    const other = service.import({ ...key, csv: CSV.replace('eng46', 'eng47') });
    await expect(other).rejects.toMatchObject({ code: 'conflict' });
    const short = service.import({ ...key, csv: 'height,width\n1,2\n' });
    await expect(short).rejects.toThrow(DatasetError);
    const without = service.import({ ...key, csv: CSV.replace('eng46_k2=4', '') });
    await expect(without).rejects.toThrow('name the kernels of 0 shapes');
  });
});
