import { generateKeyPairSync } from 'node:crypto';
import { type DatasetRequest, DatasetRequestSchema, type Sample, VERSION } from '@alphaflops/contracts';
import { fitInputDigest, fitRowOf, rowOfSample } from '@alphaflops/dataset';
import { signSample } from '@alphaflops/provenance';
import type { DatasetStore, Stores } from '@alphaflops/store';
import {
  buildDatasetDraft,
  buildDeviceClass,
  buildModelDraft,
  buildProvenance,
  buildSample,
  buildWorker,
  timeAt,
} from '@alphaflops/store/conformance';
import { openTemporaryStores } from '@alphaflops/store-sqlite/testing';
import { DatasetsService } from './datasets.service.js';
import { KernelMapsService } from './kernel-maps/kernel-maps.service.js';

const CLASS = 'class-a';
const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const WORKER = buildWorker({ id: 'worker-a', publicKey: publicKey.export({ format: 'jwk' }).x ?? null });
const request = (part: object = {}): DatasetRequest =>
  DatasetRequestSchema.parse({ filter: { deviceClassId: CLASS }, ...part });
const signed = (sample: Sample): Sample => ({ ...sample, signature: signSample(sample, privateKey) });
/** Samples that are recorded one after the other. */
const samplesOf = (from: number, to: number, part: Partial<Sample> = {}) =>
  Array.from({ length: to - from }, (_, at) =>
    buildSample({ specIndex: from + at, recordedAt: timeAt(from + at), ...part }),
  );

let stores: Stores;
let cleanUp: () => Promise<void>;
let service: DatasetsService;
const serviceOn = ({ datasets, samples, fleet, models, kernelMaps }: Stores) =>
  new DatasetsService(datasets, samples, fleet, models, new KernelMapsService(kernelMaps, fleet));
beforeEach(async () => {
  ({ stores, cleanUp } = await openTemporaryStores());
  service = serviceOn(stores);
  await stores.fleet.putWorker(WORKER, [], [buildDeviceClass({ id: CLASS })], new Map());
});
afterEach(() => cleanUp());

const record = (samples: readonly Sample[]) => {
  const { id, record: provenance } = buildProvenance();
  return stores.samples.record(samples, new Map([[id, provenance]]));
};
async function rowsOf(id: string) {
  const { rows } = await service.parts(id);
  const found = [];
  for await (const row of rows()) found.push(row);
  return found;
}

describe('a new data set', () => {
  it('has the good samples that match, and counts the excluded ones by reason', async () => {
    const good = samplesOf(0, 2).map(signed);
    const unsigned = samplesOf(2, 3);
    const [late] = samplesOf(3, 4);
    const changed = samplesOf(4, 6).map((sample) => ({ ...signed(sample), attempt: 2 }));
    const failed = samplesOf(6, 9, { outcome: 'timeout' });
    const imported = samplesOf(9, 10, { importedAt: timeAt(9) });
    const elsewhere = buildSample({ specIndex: 10, deviceClassId: 'class-b' });
    const strangers = samplesOf(11, 12, { workerId: 'worker-x' }).map(signed);
    const all = [...good, ...unsigned, ...changed, ...failed, ...imported, elsewhere, ...strangers];
    await record(late === undefined ? all : [...all, { ...late, recordedAt: timeAt(60_000) }]);
    const filter = { deviceClassId: CLASS, recordedTo: timeAt(60_000) };
    const about = { name: 'spring', title: 'Spring', creators: ['Zoë'], licence: 'cc0-1.0' };
    const dataset = await service.create(request({ filter, ...about }));
    expect(dataset).toMatchObject({
      ...{ ...about, version: 1, filter, codeVersion: VERSION },
      ...{ rows: 4, signedRows: 2, importedRows: 1, recordedFrom: timeAt(0), recordedTo: timeAt(9) },
      leftOut: { timeout: 3, 'signature-invalid': 3 },
      workers: [{ id: WORKER.id, publicKey: WORKER.publicKey }],
    });
    expect(dataset?.deviceClasses.map(({ id }) => id)).toEqual([CLASS]);
    expect(await service.get(dataset?.id ?? '')).toEqual(dataset);
    expect(await rowsOf(dataset?.id ?? '')).toEqual([...good, ...unsigned, ...imported].map(rowOfSample));
    expect((await service.parts(dataset?.id ?? '')).provenance).toEqual([buildProvenance().record]);
  });

  it('is the existing one if the content is the same; other content is the next version', async () => {
    await record(samplesOf(0, 3));
    const first = await service.create(request());
    expect(await service.create(request({ title: 'Another title' }))).toEqual(first);
    await record(samplesOf(3, 4));
    const second = await service.create(request());
    expect(second).toMatchObject({ name: first?.name, version: 2, rows: 4 });
    expect(
      (await service.create(request({ name: 'summer', filter: { campaignId: 'campaign-a' } })))?.id,
    ).toBe(second?.id);
    expect((await stores.datasets.list({ limit: 10 })).items).toEqual([second, first]);
    expect(await rowsOf(first?.id ?? '')).toHaveLength(3);
  });

  it('is not made without a good sample that matches', async () => {
    expect(await service.create(request())).toBeNull();
    await record(samplesOf(0, 2, { outcome: 'timeout' }));
    expect(await service.create(request())).toBeNull();
    expect((await stores.datasets.list({ limit: 10 })).items).toEqual([]);
  });

  it('names the models that were fitted to its first rows', async () => {
    const samples = samplesOf(0, 4);
    await record(samples);
    const rows = samples.slice(0, 3).map((sample) => fitRowOf(rowOfSample(sample)));
    const data = { digest: fitInputDigest(rows), samples: 3, shapes: 3, excluded: {} };
    const model = await stores.models.publish(buildModelDraft({ data }));
    await stores.models.publish(buildModelDraft({ data: { ...data, digest: 'd'.repeat(64) } }));
    const dataset = await service.create(request());
    expect(dataset?.fitInputs).toEqual([
      {
        ...{ modelId: model.id, dataDigest: data.digest, deviceClassId: CLASS, rows: 3 },
        ...{ protocol: samples[0]?.protocol.name, protocolVersion: samples[0]?.protocol.version },
      },
    ]);
    expect((await service.parts(dataset?.id ?? '')).models).toEqual([model]);
  });
});

describe('a data set of several parts', () => {
  const [sample = buildSample()] = samplesOf(0, 1);
  const many = Array.from({ length: 6000 }, (_, specIndex): Sample => ({
    ...sample,
    id: `s${specIndex}`,
    specIndex,
  }));

  it('has each row once', async () => {
    await record(many);
    const dataset = await service.create(request());
    let parts = 0;
    for await (const part of stores.datasets.parts(dataset?.id ?? '')) parts += part.length > 0 ? 1 : 0;
    expect(parts).toBeGreaterThan(1);
    const ids = (await rowsOf(dataset?.id ?? '')).map((row) => row.sample_id);
    expect(ids.toSorted()).toEqual(many.map(({ id }) => id).toSorted());
  });

  it('leaves no draft behind when reading the samples fails', async () => {
    const drafts: string[] = [];
    const datasets = Object.assign(Object.create(stores.datasets) as DatasetStore, {
      putPart: (draftId: string, index: number, bytes: Uint8Array) => {
        drafts.push(draftId);
        return stores.datasets.putPart(draftId, index, bytes);
      },
    });
    const samples = {
      stream: async function* () {
        yield* await Promise.resolve(many);
        throw new Error('the store is unreachable');
      },
    } as Partial<Stores['samples']> as Stores['samples'];
    await expect(serviceOn({ ...stores, datasets, samples }).create(request())).rejects.toThrow(
      'is unreachable',
    );
    expect(drafts.length).toBeGreaterThan(0);
    const seal = stores.datasets.seal(drafts[0] ?? '', drafts.length, buildDatasetDraft());
    await expect(seal).rejects.toMatchObject({
      code: 'conflict',
    });
  });
});

it('an unknown data set is not found', async () => {
  const refusal = { code: 'not-found', message: 'There is no data set 1234.' };
  await expect(service.get('1234')).rejects.toMatchObject(refusal);
  await expect(service.parts('1234')).rejects.toMatchObject(refusal);
});
