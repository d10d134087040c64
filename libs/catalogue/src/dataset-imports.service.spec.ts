import type { DatasetRow, ImportRequest } from '@alphaflops/contracts';
import { DatasetDigest, rowOfSample } from '@alphaflops/dataset';
import type { Stores } from '@alphaflops/store';
import {
  buildCampaign,
  buildDeviceClass,
  buildProvenance,
  buildSample,
  timeAt,
} from '@alphaflops/store/conformance';
import { openTemporaryStores } from '@alphaflops/store-sqlite/testing';
import { provenanceId } from '@alphaflops/provenance';
import { DatasetImports } from './dataset-imports.service.js';

const { record: provenance } = buildProvenance();
const deviceClass = buildDeviceClass({ id: 'class-a' });
const rowsOf = (count: number, part: Parameters<typeof buildSample>[0] = {}): DatasetRow[] =>
  Array.from({ length: count }, (_, specIndex) =>
    rowOfSample(
      buildSample({
        ...{ specIndex, recordedAt: timeAt(specIndex), provenanceId: provenanceId(provenance) },
        ...{ signature: 's'.repeat(86), ...part },
      }),
    ),
  );
const request = (rows: DatasetRow[], part: Partial<ImportRequest> = {}): ImportRequest => ({
  ...{ deviceClasses: [deviceClass], provenance: [provenance], rows, ...part },
});

let stores: Stores;
let cleanUp: () => Promise<void>;
let imports: DatasetImports;
beforeEach(async () => {
  ({ stores, cleanUp } = await openTemporaryStores());
  imports = new DatasetImports(stores.samples, stores.fleet, stores.campaigns);
});
afterEach(() => cleanUp());
const stored = async () => (await stores.samples.list({}, { limit: 100 })).items;

describe('imported rows', () => {
  it('are stored as the same data, without their signatures', async () => {
    const rows = rowsOf(3);
    expect(await imports.import(request(rows))).toEqual({ recorded: 3, present: 0 });
    const samples = (await stored()).toSorted((a, b) => a.specIndex - b.specIndex);
    for (const { signature, importedAt } of samples) {
      expect(signature).toBeNull();
      expect(Math.abs(Date.now() - Date.parse(importedAt ?? ''))).toBeLessThan(60_000);
    }
    expect(samples.map(rowOfSample)).toEqual(rows.map((row) => ({ ...row, signature: null })));
    const digestOf = (all: readonly DatasetRow[]) => {
      const digest = new DatasetDigest();
      for (const row of all) digest.add(row);
      return digest.id();
    };
    expect(digestOf(samples.map(rowOfSample))).toBe(digestOf(rows));
    expect(await stores.samples.provenance(provenanceId(provenance))).toEqual(provenance);
    expect(await stores.fleet.deviceClass('class-a')).toEqual(deviceClass);
  });

  it('are stored once, even if they are imported several times', async () => {
    const rows = rowsOf(3);
    await imports.import(request(rows.slice(0, 2)));
    const before = await stored();
    expect(await imports.import(request(rows))).toEqual({ recorded: 1, present: 2 });
    expect(await stored()).toEqual(expect.arrayContaining(before));
    expect(await stored()).toHaveLength(3);
  });

  it('do not fill the slots of a campaign of this deployment', async () => {
    const { id } = buildCampaign();
    await stores.campaigns.create(buildCampaign({ id }));
    const rows = [...rowsOf(2, { campaignId: id }), ...rowsOf(1)];
    expect(await imports.import(request(rows))).toEqual({ recorded: 1, present: 2 });
    expect((await stored()).map(({ campaignId }) => campaignId)).toEqual(['campaign-a']);
  });

  it('do not change a known device class', async () => {
    await stores.fleet.addDeviceClass(deviceClass);
    await imports.import(request(rowsOf(1), { deviceClasses: [{ ...deviceClass, smCount: 7 }] }));
    expect(await stores.fleet.deviceClass('class-a')).toEqual(deviceClass);
  });

  it('are all refused when their device class is unknown', async () => {
    const rows = [...rowsOf(1), ...rowsOf(1, { deviceClassId: 'class-x', specIndex: 5 })];
    await expect(imports.import(request(rows))).rejects.toMatchObject({
      ...{
        code: 'not-found',
        message: 'Device class class-x does not exist here, and the rows do not contain it.',
      },
    });
    expect(await stored()).toEqual([]);
  });
});
