import type { Model, ModelDiff, PredictionRequest, Predictions } from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import { ApiProblem, notFound } from '@alphaflops/http';
import {
  compileModel,
  diffModels,
  emissionsOf,
  ModelError,
  predictedTotal,
  type PredictedLayer,
  type Predictor,
} from '@alphaflops/models';
import { FleetStore, ModelStore } from '@alphaflops/store';
import { Injectable } from '@nestjs/common';
import { setImmediate } from 'node:timers/promises';
import { NetworkThreads } from './network-threads.js';

/** Compiled models kept; but for its status a model never changes, so they never go stale. */
const COMPILED_KEPT = 50;

/** Layers predicted in one go, in about 10 ms; then others have their turn. */
const LAYERS_AT_ONCE = 500;

/** Published models and what they say. */
@Injectable()
export class ModelsService {
  private readonly compiled = new Map<string, Predictor>();

  constructor(
    private readonly models: ModelStore,
    private readonly fleet: FleetStore,
    private readonly networks: NetworkThreads,
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

  async predict(request: PredictionRequest): Promise<Predictions> {
    const model = await this.find(request.model);
    const network = request.network && (await this.networkOf(request.network));
    const layers = request.layers ?? network?.layers.map(({ spec }) => spec) ?? [];
    const predicted = await this.predicted(model, request.form ?? model.chosenForm, layers);
    const total = predictedTotal(predicted);
    const inferences = request.inferencesPerPass ?? network?.batch ?? 1;
    const intensity = request.gridIntensityGramsPerKwh;
    return {
      modelId: model.id ?? '',
      layers: predicted.map(({ prediction }) => prediction),
      total,
      ...(intensity !== undefined && { emissions: emissionsOf(total, intensity, inferences) }),
      ...(network && { network }),
    };
  }

  private async predicted(
    model: Model,
    form: string,
    layers: readonly ConvSpec[],
  ): Promise<PredictedLayer[]> {
    try {
      const predict = this.predictorOf(model, form);
      const predicted: PredictedLayer[] = [];
      for (const spec of layers) {
        predicted.push({ spec, prediction: predict(spec) });
        if (predicted.length % LAYERS_AT_ONCE === 0) await setImmediate();
      }
      return predicted;
    } catch (error) {
      if (error instanceof ModelError) throw new ApiProblem(400, 'invalid-request', error.message);
      throw error;
    }
  }

  private async networkOf({
    file,
    ...options
  }: NonNullable<PredictionRequest['network']>): Promise<NonNullable<Predictions['network']>> {
    const network = await this.networks.read(Buffer.from(file, 'base64'), options);
    return { ...network, layers: [...network.layers], notCosted: [...network.notCosted] };
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
