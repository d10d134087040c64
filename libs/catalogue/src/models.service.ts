import type { Model, ModelDiff, PredictionRequest, Predictions } from '@alphaflops/contracts';
import { type ConvSpec, specKey } from '@alphaflops/conv';
import { ApiProblem, notFound } from '@alphaflops/http/problem';
import {
  compileModel,
  diffModels,
  emissionsOf,
  ModelError,
  layersInPass,
  passesOf,
  predictedTotal,
  trainingOf,
  type PredictedLayer,
  type Predictor,
} from '@alphaflops/models';
import { FleetStore, ModelStore } from '@alphaflops/store';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { setImmediate } from 'node:timers/promises';
import { NetworkThreads } from './network-threads.js';

/** Number of cached compiled models. Only the status of a model changes, so a cached model is never outdated. */
const COMPILED_KEPT = 50;
/** Number of cached predictions of each model: networks repeat their layers, and clients repeat networks. */
const PREDICTIONS_KEPT = 2_000;

type ModelChoice = PredictionRequest['model'];

/** Number of layers predicted without a pause, in about 10 ms. Then other requests are handled. */
const LAYERS_AT_ONCE = 500;

/** Published models and their predictions. */
@Injectable()
export class ModelsService {
  private readonly compiled = new LRUCache<string, RememberingPredictor>({ max: COMPILED_KEPT });

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
    return (await this.models.served(id)) ?? this.hasNone(id);
  }

  async ofDevice(id: string): Promise<Model> {
    return this.ofDeviceClass(await this.classOf(id));
  }

  /** The changes from one model to the other. */
  async diff(before: string, after: string): Promise<ModelDiff> {
    return diffModels(await this.get(before), await this.get(after));
  }

  /** Serves a candidate or a retired model. */
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

  /** Stops serving a model. The previous published one replaces it, if it exists. */
  async retire(id: string, reason: string): Promise<Model> {
    await this.get(id);
    return this.models.setStatus(id, 'retired', reason);
  }

  /** `Predictions` as JSON. Layers are most of its length, so a cached layer is not serialized again. */
  async predict(request: PredictionRequest): Promise<string> {
    const modelId = await this.idOf(request.model);
    const predictor = await this.predictorOf(modelId, request.form);
    const read = request.network && (await this.networkOf(request.network));
    const network = read?.network;
    const layers = request.layers ?? network?.layers.map(({ spec }) => spec) ?? [];
    const predicted = await predictedBy(predictor, layers, request.kernels ?? []);
    const total = { ...predictedTotal(predicted), ...read?.completeness };
    const inferences = request.inferencesPerPass ?? network?.batch ?? 1;
    const intensity = request.gridIntensityGramsPerKwh;
    const training =
      request.training &&
      trainingOf(
        {
          forward: await predictedBy(predictor, layersInPass(layers, 'forward')),
          'backward-data': await predictedBy(predictor, layersInPass(layers, 'backward-data')),
          'backward-weights': await predictedBy(predictor, layersInPass(layers, 'backward-weights')),
        },
        {
          ...{ knownPasses: predictor.passes, batch: inferences, gridIntensityGramsPerKwh: intensity },
          samples: request.training.samples,
        },
      );
    const rest: Omit<Predictions, 'layers'> = {
      modelId,
      total,
      ...(intensity !== undefined && { emissions: emissionsOf(total, intensity, inferences) }),
      ...(network && { network }),
      ...(training && { training }),
    };
    return `{"layers":[${predicted.map(({ json }) => json).join(',')}],${JSON.stringify(rest).slice(1)}`;
  }

  /** The contents of a file, and the part that a total covers. */
  private async networkOf(request: NonNullable<PredictionRequest['network']>) {
    const { file, batch, inputShape, inputs, weights = {} } = request;
    const options = {
      ...(batch !== undefined && { batch }),
      ...(inputShape !== undefined && { inputShape }),
      ...(inputs !== undefined && { inputs }),
    };
    const bytes = (base64: string) => Buffer.from(base64, 'base64');
    const beside = new Map(Object.entries(weights).map(([name, content]) => [name, bytes(content)]));
    const answer = await this.networks.read(bytes(file), options, beside);
    if (!answer.ok) {
      throw answer.isBusy === true
        ? new ApiProblem(429, 'rate-limited', answer.reason)
        : new ApiProblem(400, 'invalid-request', answer.reason);
    }
    const { completeness, ...network } = answer.network;
    return {
      network: { ...network, layers: [...network.layers], notCosted: [...network.notCosted] },
      completeness: { ...completeness, missing: [...completeness.missing] },
    };
  }

  private async idOf(which: ModelChoice): Promise<string> {
    if (which.kind === 'model') return which.modelId;
    const classId = which.kind === 'device' ? await this.classOf(which.deviceId) : which.deviceClassId;
    return (await this.models.servedId(classId)) ?? this.hasNone(classId);
  }

  private async classOf(deviceId: string): Promise<string> {
    const device = await this.fleet.device(deviceId);
    if (device === null) throw notFound('device', deviceId);
    return device.deviceClassId;
  }

  private async hasNone(deviceClassId: string): Promise<never> {
    if ((await this.fleet.deviceClass(deviceClassId)) === null) throw notFound('device class', deviceClassId);
    throw new ApiProblem(
      404,
      'no-model',
      `The device class ${deviceClassId} has no published model. Run a campaign on it, request a fit, or promote an earlier model.`,
    );
  }

  /** Reads the model only if it is not compiled yet, because reading takes longer than predicting a whole network. */
  private async predictorOf(modelId: string, form: string | undefined): Promise<RememberingPredictor> {
    const name = `${modelId} ${form ?? ''}`;
    const known = this.compiled.get(name);
    if (known !== undefined) return known;
    const model = await this.get(modelId);
    const predictor = new RememberingPredictor(
      orProblem(() => compileModel(model, form)),
      passesOf(model),
    );
    this.compiled.set(name, predictor);
    return predictor;
  }
}

interface DescribedLayer extends PredictedLayer {
  readonly json: string;
}

/** A predictor with a cache. */
class RememberingPredictor {
  private readonly described = new LRUCache<string, DescribedLayer>({ max: PREDICTIONS_KEPT });

  /** @param passes the passes of the fit of the model */
  constructor(
    private readonly predict: Predictor,
    readonly passes: readonly string[],
  ) {}

  layer(spec: ConvSpec, kernel: string | null): DescribedLayer {
    const key = specKey(spec);
    const name = kernel === null ? key : `${key} ${kernel}`;
    let layer = this.described.get(name);
    if (layer === undefined) {
      const prediction = this.predict(spec, kernel);
      layer = { key, prediction, json: JSON.stringify(prediction) };
      this.described.set(name, layer);
    }
    return layer;
  }
}

/** @throws ApiProblem 400 for a layer that cannot be predicted */
async function predictedBy(
  predictor: RememberingPredictor,
  layers: readonly ConvSpec[],
  kernels: readonly (string | null)[] = [],
): Promise<DescribedLayer[]> {
  const predicted: DescribedLayer[] = [];
  for (const [at, spec] of layers.entries()) {
    predicted.push(orProblem(() => predictor.layer(spec, kernels[at] ?? null)));
    if (predicted.length % LAYERS_AT_ONCE === 0) await setImmediate();
  }
  return predicted;
}

/** An error of a model is an error of the request. */
function orProblem<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ModelError) throw new ApiProblem(400, 'invalid-request', error.message);
    throw error;
  }
}
