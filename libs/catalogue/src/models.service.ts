import {
  MAX_LAYERS,
  type Model,
  type ModelDiff,
  type PredictionRequest,
  type Predictions,
} from '@alphaflops/contracts';
import { ApiProblem, notFound } from '@alphaflops/http';
import { compileModel, diffModels, ModelError, predictedTotal, type Predictor } from '@alphaflops/models';
import { NetworkError, readNetwork } from '@alphaflops/networks';
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

  async predict({
    model: which,
    form,
    layers: given,
    network: file,
  }: PredictionRequest): Promise<Predictions> {
    const model = await this.find(which);
    try {
      const network = file && networkOf(file);
      const layers = given ?? network?.layers.map(({ spec }) => spec) ?? [];
      const predict = this.predictorOf(model, form ?? model.chosenForm);
      const predicted = layers.map((spec) => ({ spec, prediction: predict(spec) }));
      return {
        modelId: model.id ?? '',
        layers: predicted.map(({ prediction }) => prediction),
        total: predictedTotal(predicted),
        ...(network && { network }),
      };
    } catch (error) {
      if (error instanceof ModelError || error instanceof NetworkError) {
        throw new ApiProblem(400, 'invalid-request', error.message);
      }
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

/** @throws NetworkError, also for a network of which nothing can be costed */
function networkOf({
  file,
  ...options
}: NonNullable<PredictionRequest['network']>): NonNullable<Predictions['network']> {
  const network = readNetwork(Buffer.from(file, 'base64'), options);
  if (network.layers.length > MAX_LAYERS) {
    throw new NetworkError(
      'too-large',
      `The network has ${network.layers.length} layers; at most ${MAX_LAYERS} are predicted.`,
    );
  }
  return {
    ...network,
    layers: [...network.layers],
    notCosted: [...network.notCosted],
  };
}
