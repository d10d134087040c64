import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Dataset,
  DATASET_FORMATS,
  type DatasetRequest,
  DatasetRequestSchema,
  type DatasetRow,
} from '@alphaflops/contracts';
import {
  type NumberedRow,
  readRowsCsv,
  readRowsJsonl,
  readRowsParquet,
  writeRows,
} from '@alphaflops/dataset';
import { DatasetImports, DatasetsService, KernelMapsService } from '@alphaflops/catalogue/datasets';
import { signSample } from '@alphaflops/provenance';
import { type DatasetStore, type Stores } from '@alphaflops/store';
import {
  buildBatch,
  buildCampaign,
  buildDeviceClass,
  buildProvenance,
  buildSample,
  buildWorker,
  timeAt,
} from '@alphaflops/store/conformance';
import { openSqliteStores } from '@alphaflops/store-sqlite';

const ROWS = 500;
/** What `create` gives, where there is something to give. */
async function created(datasets: DatasetsService, filter: DatasetRequest['filter'] = {}): Promise<Dataset> {
  const dataset = await datasets.create(DatasetRequestSchema.parse({ filter }));
  if (dataset === null) throw new Error('nothing matched');
  return dataset;
}
/** Data sets on a store, with neither processes nor requests. */
let directory: string;
let opened: Stores[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'alphaflops-datasets-'));
  opened = [];
});
afterEach(async () => {
  for (const stores of opened) await stores.close();
  await rm(directory, { recursive: true });
});

async function deployment() {
  const stores = await openSqliteStores(join(directory, `${opened.length}.sqlite`));
  opened.push(stores);
  const { datasets, samples, fleet, models, campaigns, kernelMaps } = stores;
  return {
    stores,
    datasets: new DatasetsService(datasets, samples, fleet, models, new KernelMapsService(kernelMaps, fleet)),
    imports: new DatasetImports(samples, fleet, campaigns),
  };
}

async function measured() {
  const here = await deployment();
  const { id, record } = buildProvenance();
  await here.stores.fleet.addDeviceClass(buildDeviceClass({ id: 'class-a' }));
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const worker = buildWorker({ id: 'worker-a', publicKey: publicKey.export({ format: 'jwk' }).x ?? null });
  await here.stores.fleet.putWorker(worker, [], [], new Map());
  const batch = buildBatch(ROWS, 0, { provenanceId: id }).map((sample, i) => {
    const algorithm = ['=1+1', '', "'", ' a\r\n', '+x', '“ü”, "q"'][i % 6] ?? null;
    const measured = { ...sample, algorithm, recordedAt: timeAt(i >> 3) };
    return { ...measured, signature: signSample(measured, privateKey) };
  });
  await here.stores.samples.record(batch, new Map([[id, record]]));
  await here.stores.samples.record(
    [buildSample({ specIndex: ROWS, outcome: 'timeout', reason: 'too slow' })],
    new Map(),
  );
  return here;
}

async function rowsOf(format: (typeof DATASET_FORMATS)[number], rows: AsyncIterable<DatasetRow>) {
  const pieces: Uint8Array[] = [];
  for await (const piece of writeRows(rows, format, {})) pieces.push(Buffer.from(piece));
  const whole = Buffer.concat(pieces);
  const bytes = new Uint8Array(whole).buffer;
  const readers: Record<typeof format, () => AsyncIterable<NumberedRow>> = {
    parquet: () => readRowsParquet(bytes, 'rows.parquet'),
    csv: () => readRowsCsv(whole.toString(), 'rows.csv'),
    jsonl: () => readRowsJsonl(whole.toString(), 'rows.jsonl'),
  };
  const found: DatasetRow[] = [];
  for await (const { row } of readers[format]()) found.push(row);
  return found;
}

describe('data sets', () => {
  it.each(DATASET_FORMATS)(
    'are equal after an export as %s and an import into an empty deployment',
    async (format) => {
      const here = await measured();
      const frozen = await created(here.datasets);
      expect(frozen).toMatchObject({ rows: ROWS, signedRows: ROWS, leftOut: { timeout: 1 } });
      const { rows, provenance, dataset } = await here.datasets.parts(frozen.id);
      const other = await deployment();
      const all = await rowsOf(format, rows());
      const { deviceClasses } = dataset;
      for (let at = 0; at < all.length; at += 150) {
        const part = all.slice(at, at + 150);
        await other.imports.import({ deviceClasses, provenance, rows: part });
        const again = await other.imports.import({ deviceClasses: [], provenance: [], rows: part });
        expect(again).toEqual({ recorded: 0, present: part.length });
      }
      const back = await created(other.datasets);
      expect(back.id).toBe(frozen.id);
      expect(back).toMatchObject({ signedRows: 0, importedRows: ROWS, provenanceIds: frozen.provenanceIds });
    },
  );

  it('do not change when samples are set aside or added', async () => {
    const { datasets, stores } = await measured();
    const frozen = await created(datasets);
    const slot = { campaignId: 'campaign-a', targetId: 'class-a', specIndex: 0, replicate: 0 };
    const taken = await stores.samples.setAside([slot], {
      deviceId: 'device-a',
      startedBefore: timeAt(3_600_000),
      reason: 'drifted',
    });
    expect(taken).toBe(1);
    const next = await created(datasets);
    expect(next).toMatchObject({ version: 2, rows: ROWS - 1, leftOut: { timeout: 1, drifted: 1 } });
    expect(next.id).not.toBe(frozen.id);
    const { rows } = await datasets.parts(frozen.id);
    expect(await rowsOf('jsonl', rows())).toHaveLength(ROWS);
  });

  it('exclude samples without a valid signature of their worker, and report how many', async () => {
    const { datasets, stores } = await measured();
    const all = await created(datasets);
    const { items } = await stores.samples.list({ outcome: 'ok' }, { limit: 2 });
    const [first, second] = items.map(({ signature }) => signature);
    const forged = [
      // A signature of another sample, of a worker that is not known, and one that claims none.
      buildSample({ specIndex: ROWS + 1, signature: first ?? null }),
      buildSample({ specIndex: ROWS + 2, signature: second ?? null, workerId: 'worker-b' }),
      buildSample({ specIndex: ROWS + 3, signature: null }),
    ];
    await stores.samples.record(forged, new Map());
    const next = await created(datasets);
    expect(next).toMatchObject({
      ...{ rows: ROWS + 1, signedRows: ROWS, workers: all.workers },
      leftOut: { timeout: 1, 'signature-invalid': 2 },
    });
  });

  it('get the same id when they are created again from the same samples, and are stored once', async () => {
    const { datasets } = await measured();
    const frozen = await created(datasets, { campaignId: 'campaign-a' });
    expect(await created(datasets)).toEqual(frozen);
  });

  it('leave no visible data when they cannot be completed', async () => {
    const { stores } = await measured();
    const failing = Object.create(stores.datasets, {
      seal: { value: () => Promise.reject(new Error('the disk is full')) },
    }) as DatasetStore;
    const service = new DatasetsService(
      ...[failing, stores.samples, stores.fleet, stores.models],
      new KernelMapsService(stores.kernelMaps, stores.fleet),
    );
    await expect(created(service)).rejects.toThrow('the disk is full');
    expect((await stores.datasets.list({ limit: 5 })).items).toEqual([]);
  });
});

describe('imports', () => {
  it('fill no slot of a campaign of this deployment', async () => {
    const here = await measured();
    const { id } = await created(here.datasets);
    const { rows, provenance, dataset } = await here.datasets.parts(id);
    const other = await deployment();
    await other.stores.campaigns.create(buildCampaign({ id: 'campaign-a' }));
    const { deviceClasses } = dataset;
    const all = await rowsOf('jsonl', rows());
    const result = await other.imports.import({ deviceClasses, provenance, rows: all });
    expect(result).toEqual({ recorded: 0, present: ROWS });
    expect(await other.stores.samples.list({}, { limit: 1 })).toMatchObject({ items: [] });
  });

  it('require the device class, and do not change a known one', async () => {
    const here = await measured();
    const { id } = await created(here.datasets);
    const { rows, provenance } = await here.datasets.parts(id);
    const [row] = await rowsOf('jsonl', rows());
    const other = await deployment();
    const importing = other.imports.import({ deviceClasses: [], provenance, rows: row ? [row] : [] });
    await expect(importing).rejects.toMatchObject({ code: 'not-found' });
    const ours = buildDeviceClass({ id: 'class-a', sku: 'ours' });
    await other.stores.fleet.addDeviceClass(ours);
    const theirs = buildDeviceClass({ id: 'class-a', sku: 'theirs' });
    await other.imports.import({ deviceClasses: [theirs], provenance, rows: row ? [row] : [] });
    expect(await other.stores.fleet.deviceClass('class-a')).toEqual(ours);
  });
});
