import { emissionsOf, ERROR_CORRELATION, predictedTotal, type PredictedLayer } from './index.js';

const WIDTH = 0.3;

function layer(cout: number, predictedMs: number, width: number | null = WIDTH): PredictedLayer {
  const lowerMs = width === null ? null : predictedMs / Math.exp(width);
  const upperMs = width === null ? null : predictedMs * Math.exp(width);
  const work = { macs: 10, flops: 20, alpha: 2, alphaFlops: 40 };
  const time = { predictedMs, lowerMs, upperMs, inDomain: cout < 100 };
  const energy = {
    kernel: null,
    energyMillijoules: null,
    lowerEnergyMillijoules: null,
    upperEnergyMillijoules: null,
    energyInDomain: null,
  };
  return { key: `i16-o${cout}`, prediction: { ...work, ...time, ...energy } };
}

function halfWidth(layers: readonly PredictedLayer[]): number {
  const { predictedMs, upperMs } = predictedTotal(layers);
  return Math.log((upperMs ?? NaN) / predictedMs);
}

describe('the total of layers', () => {
  it('adds up, and counts layers outside the domain', () => {
    expect(predictedTotal([layer(1, 2), layer(100, 3)])).toMatchObject({
      ...{ macs: 20, flops: 40, alphaFlops: 80, predictedMs: 5, layersOutsideDomain: 1 },
    });
  });

  const joules = (
    { key, prediction }: PredictedLayer,
    energyMillijoules: number,
    width = 0.2,
  ): PredictedLayer => ({
    key,
    prediction: {
      ...{ ...prediction, energyMillijoules, energyInDomain: true },
      ...{
        lowerEnergyMillijoules: energyMillijoules / Math.exp(width),
        upperEnergyMillijoules: energyMillijoules * Math.exp(width),
      },
    },
  });

  it('has the energy of all layers, or none', () => {
    expect(predictedTotal([joules(layer(1, 2), 5), joules(layer(2, 2), 7)]).energyMillijoules).toBe(12);
    expect(predictedTotal([joules(layer(1, 2), 5), layer(2, 2)])).toMatchObject({
      ...{
        energyMillijoules: null,
        lowerEnergyMillijoules: null,
        upperEnergyMillijoules: null,
        energyWh: null,
      },
    });
  });

  it('has an interval of its energy, by the widths of the energies', () => {
    const { energyMillijoules, lowerEnergyMillijoules, upperEnergyMillijoules } = predictedTotal([
      joules(layer(1, 2), 6),
      joules(layer(2, 9), 6),
    ]);
    const width = 0.2 * Math.sqrt((1 + ERROR_CORRELATION) / 2);
    expect(Math.log((upperEnergyMillijoules ?? NaN) / (energyMillijoules ?? NaN))).toBeCloseTo(width, 12);
    expect(Math.log((energyMillijoules ?? NaN) / (lowerEnergyMillijoules ?? NaN))).toBeCloseTo(width, 12);
  });

  it('emits what its electricity does, for each inference of a pass and for a million', () => {
    // 7.2 kJ are 2 Wh; at 500 g a kWh 1 g, for 4 images at a time.
    const total = predictedTotal([joules(layer(1, 2), 7_200_000)]);
    expect(total.energyWh).toBeCloseTo(2, 12);
    const emissions = emissionsOf(total, 500, 4);
    expect(emissions?.perInference.grams).toBeCloseTo(0.25, 12);
    expect(emissions?.perInference.upperGrams).toBeCloseTo(0.25 * Math.exp(0.2), 12);
    expect(emissions?.perMillionInferences.kilograms).toBeCloseTo(250, 9);
    expect(emissions?.perMillionInferences.lowerKilograms).toBeCloseTo(250 / Math.exp(0.2), 9);
    expect(emissionsOf(predictedTotal([layer(1, 2)]), 500, 4)).toBeNull();
  });

  it('of one layer, or of one shape many times, has the layer’s interval', () => {
    expect(halfWidth([layer(1, 2)])).toBeCloseTo(WIDTH, 12);
    expect(halfWidth([layer(1, 2), layer(1, 2), layer(1, 2)])).toBeCloseTo(WIDTH, 12);
  });

  it('of many shapes is surer than one layer, down to the share that does not cancel', () => {
    const layers = Array.from({ length: 400 }, (_, i) => layer(i + 1, 1));
    expect(halfWidth(layers.slice(0, 2))).toBeCloseTo(WIDTH * Math.sqrt((1 + ERROR_CORRELATION) / 2), 12);
    expect(halfWidth(layers)).toBeGreaterThan(WIDTH * Math.sqrt(ERROR_CORRELATION));
    expect(halfWidth(layers)).toBeLessThan(WIDTH * Math.sqrt(ERROR_CORRELATION) * 1.01);
  });

  it('has no interval where a layer has none', () => {
    expect(predictedTotal([layer(1, 2), layer(2, 2, null)])).toMatchObject({ lowerMs: null, upperMs: null });
  });
});
