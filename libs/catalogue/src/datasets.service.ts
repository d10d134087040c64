import { randomUUID } from 'node:crypto';
import {
  type Dataset,
  type DatasetRequest,
  type DeviceClass,
  type Model,
  type Provenance,
  VERSION,
} from '@alphaflops/contracts';
import { type DatasetParts, DatasetSummary, FitInputFinder, rowOfSample } from '@alphaflops/dataset';
import { DatasetStore, everyItem, FleetStore, ModelStore, SampleStore, StoreError } from '@alphaflops/store';
import { Injectable } from '@nestjs/common';
import { PackedRows, rowsOf } from './dataset-rows.js';
import { withGenuineness } from './genuine-samples.js';
import { KernelMapsService } from './kernel-maps/kernel-maps.service.js';

/** A draft without a write for this time belongs to a process that has ended. */
const ABANDONED_AFTER_MS = 24 * 3600 * 1000;
const PAGE = 1000;

/** Frozen snapshots of samples. docs/datasets.md */
@Injectable()
export class DatasetsService {
  constructor(
    private readonly datasets: DatasetStore,
    private readonly samples: SampleStore,
    private readonly fleet: FleetStore,
    private readonly models: ModelStore,
    private readonly kernelMaps: KernelMapsService,
  ) {}

  /** @throws StoreError `not-found` */
  async get(id: string): Promise<Dataset> {
    const dataset = await this.datasets.get(id);
    if (dataset === null) throw new StoreError('not-found', `There is no data set ${id}.`);
    return dataset;
  }

  /**
   * Seals a copy of all good samples that match. It is visible when it is complete. If this process ends earlier, only a
   * draft remains, which the next process removes after a day. Null: no good sample matches.
   */
  async create(request: DatasetRequest): Promise<Dataset | null> {
    const now = new Date();
    await this.datasets.discardBefore(new Date(now.getTime() - ABANDONED_AFTER_MS).toISOString());
    const draftId = `draft-${randomUUID()}`;
    try {
      return await this.seal(draftId, request, now.toISOString());
    } catch (error) {
      await this.datasets.discard(draftId);
      throw error;
    }
  }

  /** The data from which the files of a data set are made. */
  async parts(id: string): Promise<DatasetParts> {
    const dataset = await this.get(id);
    const provenance = await Promise.all(dataset.provenanceIds.map((one) => this.samples.provenance(one)));
    const models = await Promise.all(dataset.fitInputs.map(({ modelId }) => this.models.get(modelId)));
    return {
      dataset,
      rows: () => rowsOf(this.datasets.parts(id)),
      provenance: provenance.filter((record): record is Provenance => record !== null),
      models: models.filter((model): model is Model => model !== null),
      kernelMaps: await Promise.all(
        (dataset.kernelMaps ?? []).map(async (map) => ({
          id: map.id,
          csv: (await this.kernelMaps.csv(map.id)).toString(),
        })),
      ),
    };
  }

  private async seal(draftId: string, request: DatasetRequest, createdAt: string): Promise<Dataset | null> {
    const { filter, ...about } = request;
    const summary = new DatasetSummary();
    const finder = new FitInputFinder(await this.modelsOf(filter.deviceClassId));
    const packed = new PackedRows();
    const leftOut: Record<string, number> = {};
    let parts = 0;
    const put = async (part: Uint8Array | null): Promise<void> => {
      if (part !== null) await this.datasets.putPart(draftId, parts++, part);
    };
    for await (const [sample, isGenuine] of withGenuineness(this.samples.stream(filter), this.fleet)) {
      const isGood = sample.outcome === 'ok' && sample.timing !== null;
      if (!isGood || !isGenuine) {
        const reason = isGood ? 'signature-invalid' : sample.outcome;
        leftOut[reason] = (leftOut[reason] ?? 0) + 1;
        continue;
      }
      const row = rowOfSample(sample);
      summary.add(row, sample.importedAt !== undefined);
      finder.add(row);
      await put(await packed.add(row));
    }
    await put(await packed.rest());
    if (summary.isEmpty) return null;
    const deviceClasses = await this.classesOf(summary.deviceClassIds);
    const kernelMaps = await this.kernelMaps.ofClasses(deviceClasses);
    return this.datasets.seal(draftId, parts, {
      schema: 'alphaflops.dataset/1',
      ...about,
      ...summary.counted(),
      createdAt,
      codeVersion: VERSION,
      filter,
      leftOut,
      deviceClasses,
      ...(kernelMaps.length > 0 && { kernelMaps }),
      workers: await this.workersOf(summary.workerIds),
      fitInputs: finder.found(),
    });
  }

  private async modelsOf(deviceClassId: string | undefined): Promise<Model[]> {
    const all: Model[] = [];
    for await (const model of everyItem((page) => this.models.list({ deviceClassId }, page), PAGE)) {
      all.push(model);
    }
    return all;
  }

  private async classesOf(ids: ReadonlySet<string>): Promise<DeviceClass[]> {
    const found = await Promise.all([...ids].sort().map((id) => this.fleet.deviceClass(id)));
    return found.filter((one): one is DeviceClass => one !== null);
  }

  private async workersOf(ids: ReadonlySet<string>): Promise<Dataset['workers']> {
    const found = await Promise.all([...ids].sort().map((id) => this.fleet.worker(id)));
    return found.flatMap((worker) =>
      worker?.publicKey === null || worker?.publicKey === undefined
        ? []
        : [{ id: worker.id, publicKey: worker.publicKey }],
    );
  }
}
