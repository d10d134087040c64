import {
  type ModelStatus,
  type PredictionRequest,
  type Predictions,
  PredictionsSchema,
} from '@alphaflops/contracts';
import { CONV_SPEC_DEFAULTS, type ConvSpec, macs } from '@alphaflops/conv';
import { compileModel, fitModel, type FitSample } from '@alphaflops/models';
import type { Stores } from '@alphaflops/store';
import { buildDevice, buildDeviceClass, buildWorker } from '@alphaflops/store/conformance';
import { openTemporaryStores } from '@alphaflops/store-sqlite/testing';
import { ModelsService } from './models.service.js';
import type { NetworkAnswer } from './network-thread.js';
import type { NetworkThreads } from './network-threads.js';

const CLASS = 'class-a';
const DEVICE = 'device-a';
const layer = (height: number, cin: number, cout = 32): ConvSpec => ({
  ...{ ...CONV_SPEC_DEFAULTS, height, width: height, cin, cout, kernel_h: 3, kernel_w: 3 },
});
/** Samples of 80 shapes on a device with `macsPerMs` that draws 50 W. */
const fitted = (macsPerMs: number, digest: string) => {
  const samples = [8, 16, 32, 64].flatMap((height) =>
    [8, 16, 32, 64, 128].flatMap((cin) =>
      [8, 16, 32, 64].map((cout, at): FitSample => {
        const spec = layer(height, cin, cout);
        const timeMs = (0.02 + macs(spec) / macsPerMs) * (1 + 0.01 * at);
        return { spec, timeMs, energyMillijoules: timeMs * 50 };
      }),
    ),
  );
  const origin = { digest, codeVersion: '0', createdAt: '2026-01-01T00:00:00Z' };
  return fitModel(samples, { form: 'alpha-latency', origin });
};
const slow = fitted(1e6, 'd'.repeat(64));
const quick = fitted(1e8, 'e'.repeat(64));

/** Reads no file: returns the answer that a test sets. */
class FakeThreads {
  answer: NetworkAnswer = { ok: false, reason: 'This is not a network file.' };
  readonly tasks: Parameters<NetworkThreads['read']>[] = [];
  read(...task: Parameters<NetworkThreads['read']>): Promise<NetworkAnswer> {
    this.tasks.push(task);
    return Promise.resolve(this.answer);
  }
}

let stores: Stores;
let cleanUp: () => Promise<void>;
let threads: FakeThreads;
let service: ModelsService;
beforeEach(async () => {
  ({ stores, cleanUp } = await openTemporaryStores());
  threads = new FakeThreads();
  service = new ModelsService(stores.models, stores.fleet, threads as unknown as NetworkThreads);
  const device = buildDevice({ id: DEVICE, deviceClassId: CLASS });
  const worker = buildWorker({ id: 'worker-a', deviceIds: [DEVICE] });
  await stores.fleet.putWorker(worker, [device], [buildDeviceClass({ id: CLASS })], new Map());
});
afterEach(() => cleanUp());

/** Publishes a fit as the next version of the class. */
const publish = (model = slow, status: ModelStatus = 'published') =>
  stores.models.publish({ ...model, deviceClassId: CLASS, status });
const ofClass = { kind: 'device-class', deviceClassId: CLASS } as const;
async function predict(part: Partial<PredictionRequest>): Promise<Predictions> {
  return PredictionsSchema.parse(JSON.parse(await service.predict({ model: ofClass, ...part })));
}

describe('the model of a device class', () => {
  it('is the newest published one, also for its devices', async () => {
    await publish();
    const { id } = await publish(quick);
    await publish(slow, 'candidate');
    expect((await service.ofDeviceClass(CLASS)).id).toBe(id);
    expect((await service.ofDevice(DEVICE)).id).toBe(id);
  });

  it('is reported as missing, with the name of the missing item', async () => {
    await expect(service.get('class-a-v9')).rejects.toMatchObject({
      ...{ status: 404, code: 'not-found', message: 'There is no model "class-a-v9".' },
    });
    await expect(service.ofDevice('device-x')).rejects.toThrow('There is no device "device-x".');
    await expect(service.ofDeviceClass('class-x')).rejects.toThrow('There is no device class "class-x".');
    await publish(slow, 'candidate');
    const without = { status: 404, code: 'no-model' };
    await expect(service.ofDeviceClass(CLASS)).rejects.toMatchObject(without);
    await expect(predict({ layers: [layer(8, 8)] })).rejects.toMatchObject(without);
  });

  it('is a promoted candidate, unless a newer model is still served', async () => {
    const first = await publish();
    const candidate = await publish(quick, 'candidate');
    const promoted = await service.promote(candidate.id ?? '', 'checked by hand');
    expect(promoted).toMatchObject({ status: 'published', statusReason: 'checked by hand' });
    expect((await service.ofDeviceClass(CLASS)).id).toBe(candidate.id);
    await expect(service.promote(first.id ?? '', 'older')).rejects.toMatchObject({
      ...{ status: 409, code: 'wrong-state' },
      message: `${candidate.id ?? ''} is newer than ${first.id ?? ''} and would be served all the same. Retire it instead.`,
    });
    expect((await service.get(first.id ?? '')).statusReason).toBeNull();
    await expect(service.promote('class-a-v9', 'no')).rejects.toMatchObject({ status: 404 });
  });

  it('is replaced by the previous published one when it is retired', async () => {
    const first = await publish();
    const second = await publish(quick);
    expect(await service.retire(second.id ?? '', 'a bad fan')).toMatchObject({
      ...{ status: 'retired', statusReason: 'a bad fan' },
    });
    expect((await service.ofDeviceClass(CLASS)).id).toBe(first.id);
    await service.retire(first.id ?? '', 'old');
    await expect(service.ofDeviceClass(CLASS)).rejects.toMatchObject({ code: 'no-model' });
    expect((await service.promote(second.id ?? '', 'a new fan')).status).toBe('published');
    await expect(service.retire('class-a-v9', 'no')).rejects.toMatchObject({ status: 404 });
  });

  it('has a difference to another model, from the first to the second', async () => {
    const [before, after] = [await publish(), await publish(quick)];
    const { origin } = await service.diff(before.id ?? '', after.id ?? '');
    expect(origin).toContainEqual({
      what: 'data digest',
      before: slow.data.digest,
      after: quick.data.digest,
    });
    await expect(service.diff(before.id ?? '', 'class-a-v9')).rejects.toThrow('There is no model');
  });
});

describe('predictions', () => {
  const layers = [layer(16, 16), layer(32, 64), layer(16, 16)];

  it('come from the model of a model id, class or device, in the order of the layers', async () => {
    const { id } = await publish();
    const expected = layers.map((spec) => compileModel(slow)(spec));
    const model = { kind: 'model', modelId: id ?? '' } as const;
    for (const which of [model, ofClass, { kind: 'device', deviceId: DEVICE } as const]) {
      const predicted = await predict({ model: which, layers });
      expect(predicted.modelId).toBe(id);
      expect(predicted.layers).toEqual(expected);
      const sum = expected.reduce((total, { predictedMs }) => total + predictedMs, 0);
      expect(predicted.total.predictedMs).toBeCloseTo(sum, 12);
    }
  });

  it('use the model that is served, also after others were compiled', async () => {
    const time = async () => (await predict({ layers })).total.predictedMs;
    await publish();
    const before = await time();
    const { id } = await publish(quick);
    expect(await time()).toBeLessThan(before / 10);
    await service.retire(id ?? '', 'a bad fan');
    expect(await time()).toBe(before);
  });

  it('have no interval for another form, and do not replace those of the chosen form', async () => {
    await publish();
    const chosen = await predict({ layers });
    const alpha = await predict({ layers, form: 'alpha' });
    expect(alpha.layers.map(({ upperMs }) => upperMs)).toEqual([null, null, null]);
    expect(alpha.layers).toEqual(layers.map((spec) => compileModel(slow, 'alpha')(spec)));
    expect(await predict({ layers })).toEqual(chosen);
  });

  it('are refused for a form that the model does not have, and for a layer without output', async () => {
    await publish();
    const refusal = { status: 400, code: 'invalid-request' };
    await expect(predict({ layers, form: 'magic' })).rejects.toMatchObject(refusal);
    const empty: ConvSpec = { ...layer(2, 8), kernel_h: 5, padding: 'valid' };
    await expect(predict({ layers: [layer(8, 8), empty] })).rejects.toMatchObject({
      ...{ ...refusal, message: expect.stringContaining('has no output to compute') },
    });
  });

  it('include emissions of one inference and the passes of training on request', async () => {
    await publish();
    const batchOf4 = { layers, inferencesPerPass: 4, gridIntensityGramsPerKwh: 400 };
    const { emissions, total, training } = await predict({ ...batchOf4, training: { samples: 10 } });
    // 1 kWh is 3.6e9 mJ.
    const grams = ((total.energyMillijoules ?? NaN) / 3.6e9) * 100;
    expect((emissions?.perInference.grams ?? NaN) / grams).toBeCloseTo(1, 9);
    expect(training?.passes.forward.predictedMs).toBeCloseTo(total.predictedMs, 12);
    expect(training?.epoch).toMatchObject({ samples: 10, steps: 3 });
    expect(training?.unknownPasses).toEqual(['backward-data', 'backward-weights']);
    expect(await predict({ layers })).not.toHaveProperty('emissions');
  });
});

describe('predictions of a network file', () => {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const network = { file: base64('bytes'), batch: 2, weights: { 'w.bin': base64('weights') } };

  it('have the layers of the file, and the coverage of the total', async () => {
    await publish();
    const layers = [{ name: 'conv1', op: 'Conv', spec: layer(16, 16), note: null }];
    const completeness = {
      ...{ isComplete: false, layersFound: 2, layersCosted: 1, missing: [], missingMacs: 5 },
      ...{ missingShare: null, firstLoss: null },
    };
    const read = { format: 'onnx', name: 'small', batch: 2, layers, notCosted: [] } as const;
    threads.answer = { ok: true, network: { ...read, completeness } };
    const predicted = await predict({ network, training: { samples: 10 } });
    expect(predicted.network).toEqual(read);
    expect(predicted.layers).toEqual([compileModel(slow)(layer(16, 16))]);
    expect(predicted.total).toMatchObject(completeness);
    expect(predicted.training?.epoch?.steps).toBe(5);
    const inFives = await predict({ network, inferencesPerPass: 5, training: { samples: 10 } });
    expect(inFives.training?.epoch?.steps).toBe(2);
    const task = [Buffer.from('bytes'), { batch: 2 }, new Map([['w.bin', Buffer.from('weights')]])];
    expect(threads.tasks).toEqual([task, task]);
  });

  it('are refused with the problem of the file, or temporarily when too many files are read', async () => {
    await publish();
    await expect(predict({ network })).rejects.toMatchObject({
      ...{ status: 400, code: 'invalid-request', message: 'This is not a network file.' },
    });
    threads.answer = { ok: false, reason: 'Too many network files.', isBusy: true };
    await expect(predict({ network })).rejects.toMatchObject({ status: 429, code: 'rate-limited' });
  });
});
