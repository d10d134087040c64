import { createHash } from 'node:crypto';
import type {
  AuditEntry,
  Campaign,
  Dataset,
  Device,
  DeviceClass,
  KernelMap,
  Model,
  Sample,
} from '@alphaflops/contracts';
import { digestOf } from '@alphaflops/provenance';
import { TOKEN_KINDS } from './access-store.js';
import type { WorkerRecord } from './fleet-store.js';
import type { ModelDraft } from './model-store.js';
import { everyItem } from './paging.js';
import type { Stores } from './store.js';
import { StoreError } from './store-error.js';

/** Kinds of records, in the order in which they are moved. */
export const MIGRATED_KINDS = [
  'provenance',
  'device classes',
  'devices',
  'workers',
  'tokens',
  'audit entries',
  'campaigns',
  'specs',
  'samples',
  'models',
  'data sets',
  'kernel maps',
] as const;
export type MigratedKind = (typeof MIGRATED_KINDS)[number];

export interface MigrationProgress {
  stage: 'copy' | 'verify';
  kind: MigratedKind;
  /** Number of records of this kind so far. */
  done: number;
}

/** The number of records of a kind, and the sha-256 digest of all of them. */
export interface KindSummary {
  count: number;
  digest: string;
}

const PAGE = 500;

/**
 * Copies everything from one store to another, then reads both and compares counts and digests. No other process may
 * write to either store in the meantime. An interrupted migration can be started again: it keeps records that are
 * already in the target, or replaces them by equal ones. It does not copy idempotency keys, because they expire after
 * a day at most.
 *
 * @throws StoreError `conflict` when the target holds other records, before or after copying
 */
export async function migrateStores(
  from: Stores,
  to: Stores,
  onProgress: (progress: MigrationProgress) => void = () => undefined,
): Promise<Record<MigratedKind, KindSummary>> {
  const copied = (kind: MigratedKind, done: number) => {
    onProgress({ stage: 'copy', kind, done });
  };
  await copyFleet(from, to, copied);
  await copyTokens(from, to, copied);
  await copyAudit(from, to, copied);
  await copyCampaigns(from, to, copied);
  await copySamples(from, to, copied);
  await copyModels(from, to, copied);
  await copyDatasets(from, to, copied);
  await copyKernelMaps(from, to, copied);

  const expected = await summarize(from, onProgress);
  const found = await summarize(to, onProgress);
  for (const kind of MIGRATED_KINDS) {
    if (digestOf(expected[kind]) === digestOf(found[kind])) continue;
    throw new StoreError(
      'conflict',
      `The ${kind} of the two stores differ (${expected[kind].count} and ${found[kind].count}). Either the target held ` +
        'other records before, or a process wrote to one of the stores in the meantime. Stop every coordinator and ' +
        'worker, and migrate again. Use an empty target if this one held records.',
    );
  }
  await compareCounters(from, to);
  return found;
}

type Copied = (kind: MigratedKind, done: number) => void;

async function copyFleet(from: Stores, to: Stores, copied: Copied): Promise<void> {
  const classes = await collect(deviceClasses(from));
  const found = await collect(devices(from));
  const provenance = new Map(await collect(from.samples.provenanceRecords()));
  const [first, ...others] = await collect(workers(from));
  // A store accepts devices only together with a worker, and any worker will do. A class may exist without a device.
  for (const deviceClass of classes) await to.fleet.addDeviceClass(deviceClass);
  if (first === undefined) await to.samples.record([], provenance);
  else await to.fleet.putWorker(first, found, classes, provenance);
  for (const worker of others) await to.fleet.putWorker(worker, [], [], new Map());
  copied('provenance', provenance.size);
  copied('device classes', classes.length);
  copied('devices', found.length);
  copied('workers', first === undefined ? 0 : others.length + 1);
}

async function copyTokens(from: Stores, to: Stores, copied: Copied): Promise<void> {
  let done = 0;
  for (const kind of TOKEN_KINDS) {
    for (const token of await from.access.tokens(kind)) {
      await to.access.putToken(token);
      done += 1;
    }
  }
  copied('tokens', done);
}

async function copyAudit(from: Stores, to: Stores, copied: Copied): Promise<void> {
  // The oldest come first, so that entries with equal times keep their order.
  const all = (await collect(auditEntries(from))).toReversed();
  for (const entry of all) await to.audit.append(entry);
  copied('audit entries', all.length);
}

async function copyCampaigns(from: Stores, to: Stores, copied: Copied): Promise<void> {
  let specsDone = 0;
  // The oldest come first, so that campaigns with equal times keep their order.
  const all = (await collect(campaigns(from))).toReversed();
  for (const [index, campaign] of all.entries()) {
    const there = await to.campaigns.get(campaign.id);
    if (there === null) await to.campaigns.create(campaign);
    else expectSame(`Campaign ${campaign.id}`, there, campaign);
    for (let position = 0; ; position += PAGE) {
      const specs = await from.campaigns.specs(campaign.id, position, position + PAGE);
      await to.campaigns.putSpecs(campaign.id, position, specs);
      specsDone += specs.length;
      copied('specs', specsDone);
      if (specs.length < PAGE) break;
    }
    copied('campaigns', index + 1);
  }
}

async function copySamples(from: Stores, to: Stores, copied: Copied): Promise<void> {
  let done = 0;
  let part: Sample[] = [];
  const flush = async () => {
    await to.samples.record(part, new Map());
    done += part.length;
    part = [];
    copied('samples', done);
  };
  for await (const sample of from.samples.stream({})) {
    if (part.push(sample) === PAGE) await flush();
  }
  await flush();
}

async function copyModels(from: Stores, to: Stores, copied: Copied): Promise<void> {
  const all = await collect(models(from));
  // `publish` assigns the next version, and versions have no gaps. In version order, each model gets its own version.
  const inOrder = all.toSorted((a, b) => (a.version ?? 0) - (b.version ?? 0));
  for (const [index, model] of inOrder.entries()) {
    const { id, version, ...draft } = model;
    const there = await to.models.get(id ?? '');
    const published = there ?? (await to.models.publish(draft as ModelDraft));
    expectSame(`Model ${id ?? ''} (version ${version ?? 0})`, published, model);
    copied('models', index + 1);
  }
}

async function copyDatasets(from: Stores, to: Stores, copied: Copied): Promise<void> {
  const all = await collect(datasets(from));
  // As for models: in version order, each data set gets its own version.
  for (const [index, { version, ...draft }] of all.toSorted((a, b) => a.version - b.version).entries()) {
    const draftId = `migrated-${draft.id}`;
    let parts = 0;
    const there = await to.datasets.get(draft.id);
    if (there === null) {
      for await (const part of from.datasets.parts(draft.id))
        await to.datasets.putPart(draftId, parts++, part);
    }
    const sealed = there ?? (await to.datasets.seal(draftId, parts, draft));
    expectSame(`Data set ${draft.id} (version ${version})`, sealed, { ...draft, version });
    copied('data sets', index + 1);
  }
}

async function copyKernelMaps(from: Stores, to: Stores, copied: Copied): Promise<void> {
  const all = (await collect(kernelMaps(from))).toReversed();
  for (const [index, map] of all.entries()) {
    const labels = await from.kernelMaps.labels(map.id);
    if (labels !== null) expectSame(`Kernel map ${map.id}`, await to.kernelMaps.put(map, labels), map);
    copied('kernel maps', index + 1);
  }
}

/**
 * Returns the count and the digest of every kind. The digest does not depend on the order in which a store lists
 * records with equal times.
 */
async function summarize(
  stores: Stores,
  onProgress: (progress: MigrationProgress) => void,
): Promise<Record<MigratedKind, KindSummary>> {
  const all: Record<MigratedKind, AsyncIterable<unknown>> = {
    provenance: stores.samples.provenanceRecords(),
    'device classes': deviceClasses(stores),
    devices: devices(stores),
    workers: workers(stores),
    tokens: tokens(stores),
    'audit entries': auditEntries(stores),
    campaigns: campaigns(stores),
    specs: specs(stores),
    samples: stores.samples.stream({}),
    models: models(stores),
    'data sets': datasetContents(stores),
    'kernel maps': kernelMapContents(stores),
  };
  const summaries: Partial<Record<MigratedKind, KindSummary>> = {};
  for (const kind of MIGRATED_KINDS) {
    const summary = new OrderlessDigest();
    for await (const record of all[kind]) {
      summary.add(record);
      if (summary.count % PAGE === 0) onProgress({ stage: 'verify', kind, done: summary.count });
    }
    onProgress({ stage: 'verify', kind, done: summary.count });
    summaries[kind] = summary.summary();
  }
  return summaries as Record<MigratedKind, KindSummary>;
}

/** The sum of the digests of the records, modulo 2²⁵⁶. It needs constant memory and is the same in any order. */
class OrderlessDigest {
  count = 0;
  private sum = 0n;

  add(record: unknown): void {
    this.count += 1;
    const text = JSON.stringify(record, (_key, part: unknown) =>
      typeof part === 'string' ? inUtf8(part) : part,
    );
    this.sum = BigInt.asUintN(256, this.sum + BigInt(`0x${digestOf(JSON.parse(text))}`));
  }

  summary(): KindSummary {
    const digest = createHash('sha256')
      .update(`${this.count} ${this.sum.toString(16)}`)
      .digest('hex');
    return { count: this.count, digest };
  }
}

/** Replaces half of a surrogate pair, which truncated text can contain, by U+FFFD: not every store can keep it. */
function inUtf8(text: string): string {
  return Buffer.from(text).toString();
}

async function compareCounters(from: Stores, to: Stores): Promise<void> {
  for await (const { id } of campaigns(from)) {
    expectSame(`The counts of campaign ${id}`, await to.samples.counts(id), await from.samples.counts(id));
  }
}

function expectSame(what: string, found: unknown, expected: unknown): void {
  if (digestOf(found) === digestOf(expected)) return;
  throw new StoreError(
    'conflict',
    `${what} differs in the target. Migrate into an empty target, or into the target of the interrupted migration.`,
  );
}

function campaigns(stores: Stores): AsyncIterable<Campaign> {
  return everyItem((page) => stores.campaigns.list({}, page), PAGE);
}

function models(stores: Stores): AsyncIterable<Model> {
  return everyItem((page) => stores.models.list({}, page), PAGE);
}

function datasets(stores: Stores): AsyncIterable<Dataset> {
  return everyItem((page) => stores.datasets.list(page), PAGE);
}

/** Yields each data set with the digest of its parts. */
async function* datasetContents(stores: Stores): AsyncIterable<unknown> {
  for await (const dataset of datasets(stores)) {
    const hash = createHash('sha256');
    for await (const part of stores.datasets.parts(dataset.id)) hash.update(part);
    yield [dataset, hash.digest('hex')];
  }
}

function kernelMaps(stores: Stores): AsyncIterable<KernelMap> {
  return everyItem((page) => stores.kernelMaps.list(page), PAGE);
}

/** Yields each map with the digest of its labels as they are stored. */
async function* kernelMapContents(stores: Stores): AsyncIterable<unknown> {
  for await (const map of kernelMaps(stores)) {
    const labels = await stores.kernelMaps.labels(map.id);
    yield [
      map,
      createHash('sha256')
        .update(labels ?? '')
        .digest('hex'),
    ];
  }
}

function workers(stores: Stores): AsyncIterable<WorkerRecord> {
  return everyItem((page) => stores.fleet.workers(page), PAGE);
}

function devices(stores: Stores): AsyncIterable<Device> {
  return everyItem((page) => stores.fleet.devices({}, page), PAGE);
}

function deviceClasses(stores: Stores): AsyncIterable<DeviceClass> {
  return everyItem((page) => stores.fleet.deviceClasses(page), PAGE);
}

function auditEntries(stores: Stores): AsyncIterable<AuditEntry> {
  return everyItem((page) => stores.audit.list(page), PAGE);
}

async function* tokens(stores: Stores): AsyncIterable<unknown> {
  for (const kind of TOKEN_KINDS) yield* await stores.access.tokens(kind);
}

async function* specs(stores: Stores): AsyncIterable<unknown> {
  for await (const { id } of campaigns(stores)) {
    for (let position = 0; ; position += PAGE) {
      const found = await stores.campaigns.specs(id, position, position + PAGE);
      for (const [index, spec] of found.entries()) yield [id, position + index, spec];
      if (found.length < PAGE) break;
    }
  }
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
