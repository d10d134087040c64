import type { Model, ModelDiff, PredictionRequest, Predictions } from '@alphaflops/contracts';
import { ApiProblem, notFound } from '@alphaflops/http';
import { compileModel, diffModels, ModelError, type Predictor } from '@alphaflops/models';
import { FleetStore, ModelStore } from '@alphaflops/store';
import { Injectable } from '@nestjs/common';

/** Compiled models kept; but for its status a model never changes, so they never go stale. */
const COMPILED_KEPT = 50;

/** Published models and what they say. */
@Injectable()
export class ModelsService {
  private readonly compiled = new Map<string, Predictor>();

  constructor(
    private readonly models: ModelStore,
    private readonly fleet: FleetStore,
  ) {}

  async get(id: string): Promise<Model> {
    const model = await this.models.get(id);
    if (model === null) throw notFound('model', id);
    return model;
  }

  async ofDeviceClass(id: string): Promise<Model> {
    const model = await this.models.served(id);
    if (model !== null) return model;
    if ((await this.fleet.deviceClass(id)) === null) throw notFound('device class', id);
    throw new ApiProblem(
      404,
      'no-model',
      `The device class ${id} has no published model. Run a campaign on it, ask for a fit, or promote one it had.`,
    );
  }

  async ofDevice(id: string): Promise<Model> {
    const device = await this.fleet.device(id);
    if (device === null) throw notFound('device', id);
    return this.ofDeviceClass(device.deviceClassId);
  }

  /** What changed from one model to the other. */
  async diff(before: string, after: string): Promise<ModelDiff> {
    return diffModels(await this.get(before), await this.get(after));
  }

  /** Serves a model that was kept back or retired. */
  async promote(id: string, reason: string): Promise<Model> {
    const model = await this.get(id);
    const served = await this.models.served(model.deviceClassId ?? '');
    if (served !== null && (served.version ?? 0) > (model.version ?? 0)) {
      throw new ApiProblem(
        409,
        'wrong-state',
        `${served.id ?? ''} is newer than ${id} and would be served all the same. Retire it instead.`,
      );
    }
    return this.models.setStatus(id, 'published', reason);
  }

  /** Serves a model no longer: the published one before it takes its place, if there is one. */
  async retire(id: string, reason: string): Promise<Model> {
    await this.get(id);
    return this.models.setStatus(id, 'retired', reason);
  }

  async predict({ model: which, form, layers }: PredictionRequest): Promise<Predictions> {
    const model = await this.find(which);
    try {
      const predict = this.predictorOf(model, form ?? model.chosenForm);
      const predictions = layers.map(predict);
      const sum = (of: (p: (typeof predictions)[number]) => number) =>
        predictions.reduce((total, prediction) => total + of(prediction), 0);
      return {
        modelId: model.id ?? '',
        layers: predictions,
        total: {
          macs: sum((p) => p.macs),
          flops: sum((p) => p.flops),
          alphaFlops: sum((p) => p.alphaFlops),
          predictedMs: sum((p) => p.predictedMs),
          layersOutsideDomain: sum((p) => (p.inDomain ? 0 : 1)),
        },
      };
    } catch (error) {
      if (error instanceof ModelError) throw new ApiProblem(400, 'invalid-request', error.message);
      throw error;
    }
  }

  private find(which: PredictionRequest['model']): Promise<Model> {
    switch (which.kind) {
      case 'model':
        return this.get(which.modelId);
      case 'device-class':
        return this.ofDeviceClass(which.deviceClassId);
      case 'device':
        return this.ofDevice(which.deviceId);
    }
  }

  private predictorOf(model: Model, form: string): Predictor {
    const id = `${model.id ?? ''} ${form}`;
    const known = this.compiled.get(id);
    if (known !== undefined) return known;
    const predictor = compileModel(model, form);
    const [oldest] = this.compiled.keys();
    if (oldest !== undefined && this.compiled.size >= COMPILED_KEPT) this.compiled.delete(oldest);
    this.compiled.set(id, predictor);
    return predictor;
  }
}
