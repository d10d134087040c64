import type { Prediction } from '@alphaflops/contracts';
import {
  CONV_SPEC_DEFAULTS,
  macs,
  PASSES,
  passOf,
  specKey,
  type ConvSpec,
  type Pass,
} from '@alphaflops/conv';
import type { PredictedLayer } from './total.js';
import { layersInPass, passesOf, trainingOf } from './training.js';

const spec: ConvSpec = {
  ...CONV_SPEC_DEFAULTS,
  ...{ batch: 8, height: 14, width: 14, cin: 64, cout: 64, kernel_h: 3, kernel_w: 3 },
};
const MS = { forward: 1, 'backward-data': 1.5, 'backward-weights': 2.5 } as const;

/** Half-width ln 1.2, unless the pass is not known; 100 W. */
function predict(known: readonly string[]) {
  return (of: ConvSpec): PredictedLayer => {
    const pass = passOf(of);
    const predictedMs = MS[pass];
    const factor = known.includes(pass) ? 1.2 : null;
    const energyMillijoules = 100 * predictedMs;
    const prediction: Prediction = {
      ...{ macs: macs(of), flops: 2 * macs(of), alpha: 1, alphaFlops: 2 * macs(of), predictedMs },
      lowerMs: factor && predictedMs / factor,
      upperMs: factor && predictedMs * factor,
      inDomain: factor !== null,
      kernel: null,
      energyMillijoules,
      lowerEnergyMillijoules: factor && energyMillijoules / factor,
      upperEnergyMillijoules: factor && energyMillijoules * factor,
      energyInDomain: factor !== null,
    };
    return { key: specKey(of), prediction };
  };
}

const ALL = ['forward', 'backward-data', 'backward-weights'];
const predicted = (known: readonly string[]) =>
  Object.fromEntries(PASSES.map((pass) => [pass, layersInPass(layers, pass).map(predict(known))])) as Record<
    Pass,
    PredictedLayer[]
  >;
const layers = [spec, { ...spec, cin: 128 }, { ...spec, pass: 'backward-data' as const, cout: 32 }];

describe('training', () => {
  const training = trainingOf(predicted(ALL), {
    ...{ knownPasses: ALL, batch: 8, samples: 1001, gridIntensityGramsPerKwh: 360 },
  });

  it('is each layer in three passes of the same multiply-adds, a transposed convolution too', () => {
    expect(training.layers.map((layer) => layer['backward-weights'].predictedMs)).toEqual([2.5, 2.5, 2.5]);
    const work = layers.map(macs).reduce((a, b) => a + b);
    for (const pass of ['forward', 'backward-data', 'backward-weights'] as const) {
      expect(training.passes[pass]).toMatchObject({ macs: work, predictedMs: 3 * MS[pass] });
    }
    expect(training.step).toMatchObject({ macs: 3 * work, predictedMs: 15, energyMillijoules: 1500 });
  });

  it('has an interval that is narrower than that of each layer, and wider than if errors were independent', () => {
    const { predictedMs, lowerMs, upperMs } = training.step;
    const width = Math.log((upperMs ?? NaN) / predictedMs);
    expect(Math.log(predictedMs / (lowerMs ?? NaN))).toBeCloseTo(width, 12);
    expect(width).toBeLessThan(Math.log(1.2));
    expect(width).toBeGreaterThan(Math.log(1.2) / Math.sqrt(9));
  });

  it('has an epoch of whole steps, with the CO2e of both', () => {
    expect(training.epoch).toMatchObject({
      samples: 1001,
      steps: 126,
      predictedMs: 126 * 15,
      energyMillijoules: 126 * 1500,
    });
    // 1.5 J at 360 g/kWh
    expect(training.emissions?.step.grams).toBeCloseTo((1.5 / 3.6e6) * 360, 12);
    expect(training.emissions?.epoch?.grams).toBeCloseTo((126 * 1.5 * 360) / 3.6e6, 12);
    expect(trainingOf(predicted(ALL), { knownPasses: ALL, batch: 8 }).epoch).toBeNull();
  });

  it('has no interval, and says so, where the model knows nothing of a pass', () => {
    const some = trainingOf(predicted(['forward']), {
      knownPasses: passesOf({ domainLevels: {} }),
      batch: 8,
    });
    expect(some.unknownPasses).toEqual(['backward-data', 'backward-weights']);
    expect(some.step).toMatchObject({ predictedMs: 15, lowerMs: null, upperMs: null });
    expect(some.passes.forward.upperMs).not.toBeNull();
  });
});
