import type { Sample } from '@alphaflops/contracts';
import type { Stores } from '../store.js';
import {
  buildBatch,
  buildCampaign,
  buildDatasetDraft,
  buildDevice,
  buildDeviceClass,
  buildModelDraft,
  buildProvenance,
  buildSpec,
  buildToken,
  buildWorker,
  timeAt,
} from './builders.js';
import { collect } from './collect.js';
import { buildKernelMap } from './kernel-maps.js';

type Ports = Omit<Stores, 'description' | 'ping' | 'close'>;

const provenance = buildProvenance();
const PROVENANCE = new Map([[provenance.id, provenance.record]]);
const [campaign, later] = [buildCampaign(), buildCampaign()];
const [device, deviceClass, worker] = [buildDevice(), buildDeviceClass(), buildWorker()];
const token = buildToken({ workerId: 'worker-a' });
const batch = buildBatch(5);
const dataset = buildDatasetDraft();
const kernelMap = buildKernelMap();
const audited = {
  ...{
    id: 'audit-a',
    at: timeAt(0),
    actor: { kind: 'system' as const, tokenId: null, name: '' },
    action: 'a.b',
  },
  ...{ targetId: null, status: 200, requestId: 'r', address: null },
} as const;

/**
 * Calls every operation of every port, in an order in which each operation finds records. Tests use it to examine the
 * query plans of an adapter. The type requires every method, so a new method does not compile until it is added here.
 */
export const QUERIES: {
  readonly [P in keyof Ports]: { readonly [M in keyof Ports[P]]: (port: Ports[P]) => Promise<unknown> };
} = {
  campaigns: {
    create: async (port) => {
      await port.create(campaign);
      await port.create(later);
    },
    get: (port) => port.get(campaign.id),
    list: async (port) => {
      for (const state of [undefined, 'draft'] as const) {
        for (const deviceClassId of [undefined, 'class-a']) {
          await pageByPage((page) => port.list({ state, deviceClassId }, page));
        }
      }
    },
    transition: (port) =>
      port.transition(campaign.id, 'draft', { state: 'planned', at: timeAt(1), reason: 'planned' }),
    putSpecs: async (port) => {
      await port.putSpecs(campaign.id, 0, [buildSpec(0)]);
      await port.putSpecs(campaign.id, 0, [buildSpec(0)]);
    },
    specs: (port) => port.specs(campaign.id, 0, 10),
  },
  samples: {
    record: async (port) => {
      await port.record(batch, PROVENANCE);
      await port.record(batch, PROVENANCE);
    },
    counts: (port) => port.counts('campaign-a'),
    batchCounts: (port) => collect(port.batchCounts('campaign-a')),
    list: (port) => pageByPage((page) => port.list({ campaignId: 'campaign-a' }, page)),
    stream: (port) => collect(port.stream({ campaignId: 'campaign-a' })),
    hasOptionalFields: (port) => port.hasOptionalFields({ campaignId: 'campaign-a' }),
    get: (port) => port.get(batch[0]?.id ?? ''),
    provenance: (port) => port.provenance(provenance.id),
    provenanceRecords: (port) => collect(port.provenanceRecords()),
    countByDevice: (port) => port.countByDevice(timeAt(0), 'campaign-a'),
    countBetween: (port) => port.countBetween(timeAt(-1), timeAt(1)),
    markNoisy: async (port) => {
      await port.markNoisy(batch, 'visits disagree');
      await port.markNoisy(batch, 'visits disagree');
    },
    setAside: async (port) => {
      const [{ deviceId }] = batch as [Sample];
      const which = { deviceId: deviceId ?? '', startedBefore: timeAt(1), reason: 'it drifted' };
      await port.setAside(batch, which);
      await port.setAside(batch, which);
    },
  },
  fleet: {
    putWorker: (port) => port.putWorker(worker, [device], [deviceClass], PROVENANCE),
    addDeviceClass: (port) => port.addDeviceClass(buildDeviceClass()),
    worker: (port) => port.worker(worker.id),
    workers: async (port) => {
      await port.putWorker(buildWorker(), [buildDevice()], [], PROVENANCE);
      await pageByPage((page) => port.workers(page));
    },
    patchWorker: (port) => port.patchWorker(worker.id, { activity: 'measuring' }),
    device: (port) => port.device(device.id),
    devices: async (port) => {
      await pageByPage((page) => port.devices({}, page));
      await pageByPage((page) => port.devices({ deviceClassId: 'class-a' }, page));
    },
    deviceClass: (port) => port.deviceClass(deviceClass.id),
    deviceClasses: (port) => pageByPage((page) => port.deviceClasses(page)),
  },
  access: {
    putToken: (port) => port.putToken(token),
    addToken: (port) => port.addToken(token),
    tokenByHash: (port) => port.tokenByHash(token.hash),
    tokens: (port) => port.tokens('join'),
    consumeToken: (port) => port.consumeToken('join', token.hash, timeAt(0)),
    revokeTokens: async (port) => {
      await port.revokeTokens({ id: token.id }, timeAt(0));
      await port.revokeTokens({ workerId: 'worker-a' }, timeAt(0));
    },
    claimIdempotencyKey: async (port) => {
      const limits = { expireBefore: timeAt(-1), abandonedBefore: timeAt(-1) };
      await port.claimIdempotencyKey('k', 'd', timeAt(0), limits);
      await port.claimIdempotencyKey('k', 'd', timeAt(0), limits);
    },
    renewIdempotencyKey: (port) => port.renewIdempotencyKey('k', timeAt(0)),
    storeResponse: (port) => port.storeResponse('k', 200, '{}'),
    releaseIdempotencyKey: (port) => port.releaseIdempotencyKey('k'),
  },
  audit: {
    append: async (port) => {
      await port.append(audited);
      await port.append({ ...audited, id: 'audit-b' });
    },
    list: (port) => pageByPage((page) => port.list(page)),
  },
  models: {
    publish: async (port) => {
      await port.publish(buildModelDraft({ campaignId: 'campaign-a' }));
      await port.publish(buildModelDraft());
    },
    get: (port) => port.get('class-a-v1'),
    served: (port) => port.served('class-a'),
    servedId: (port) => port.servedId('class-a'),
    setStatus: (port) => port.setStatus('class-a-v1', 'retired', 'wrong'),
    list: async (port) => {
      for (const deviceClassId of [undefined, 'class-a']) {
        await pageByPage((page) => port.list({ deviceClassId }, page));
      }
    },
  },
  datasets: {
    putPart: async (port) => {
      await port.putPart('draft-a', 0, new Uint8Array(3));
      await port.putPart('draft-b', 0, new Uint8Array(3));
    },
    seal: (port) => port.seal('draft-a', 1, dataset),
    discard: (port) => port.discard('draft-b'),
    discardBefore: (port) => port.discardBefore(timeAt(0)),
    get: (port) => port.get(dataset.id),
    list: (port) => pageByPage((page) => port.list(page)),
    parts: (port) => collect(port.parts(dataset.id)),
  },
  kernelMaps: {
    put: async (port) => {
      await port.put(kernelMap, new Uint8Array(3));
      await port.put(buildKernelMap(), new Uint8Array(3));
    },
    get: (port) => port.get(kernelMap.id),
    list: (port) => pageByPage((page) => port.list(page)),
    labels: (port) => port.labels(kernelMap.id),
  },
};

/** Reads two pages if the list has two items, so that the second read uses a cursor. */
async function pageByPage(
  list: (page: { limit: number; cursor?: string }) => Promise<{ nextCursor: string | null }>,
): Promise<void> {
  const { nextCursor } = await list({ limit: 1 });
  if (nextCursor !== null) await list({ limit: 1, cursor: nextCursor });
}
