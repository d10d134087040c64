import type { ConvSpec } from '@alphaflops/conv';
import { shapeOf } from '../axes/shape.js';
import { fitModel } from '../fit-model.js';
import { compileModel, evaluate } from '../predict.js';
import { randomShapes } from '../random-shapes.spec-helper.js';
import type { FitSample } from '../sample.js';
import type { KernelLabel } from './kernel-classifier.js';

const ORIGIN = { digest: '', codeVersion: '0', createdAt: '2026-01-01T00:00:00Z' };
const device = { smCount: 40 };

/** Two kernels with different tiles. The library uses the second one for many channels that are multiples of 4. */
const kernelOf = ({ cin, cout }: ConvSpec): string =>
  cin > 60 && cout % 4 === 0 ? 'eng2_k2=1' : 'eng1_k2=0';
function law(spec: ConvSpec): number {
  const { points, groupCin, groupCout, kernel } = shapeOf(spec);
  const [side, step] = kernelOf(spec) === 'eng2_k2=1' ? [128, 4e-4] : [64, 6e-4];
  const tiles = Math.ceil(points / side) * Math.ceil(groupCout / side);
  return 0.004 + Math.ceil(tiles / 40) * (0.002 + step * Math.ceil((groupCin * kernel) / 32));
}
const withKernel = (samples: readonly FitSample[]): FitSample[] =>
  samples.map((sample) => ({ ...sample, kernel: kernelOf(sample.spec) }));

describe('models with kernels', () => {
  const samples = withKernel(randomShapes(300, law, 0.01, 3, [1, 3]));
  const labels: KernelLabel[] = randomShapes(1500, law, 0, 4, [1, 3]).map(({ spec }) => ({
    spec,
    kernel: kernelOf(spec),
  }));
  const fresh = randomShapes(500, law, 0.01, 5, [1, 3]);
  const model = fitModel(samples, { device, kernelLabels: labels, origin: ORIGIN });

  it('are chosen when they are better, together with the readable formulas', () => {
    expect(model.chosenForm).toMatch(/^kernel-/);
    const waves = model.forms.find(({ form }) => form === 'kernel-waves');
    expect(waves?.groups.map(({ group }) => group)).toEqual([
      'all',
      'eng1',
      'eng1_k2=0',
      'eng2',
      'eng2_k2=1',
    ]);
    for (const { parameters } of waves?.groups ?? []) {
      for (const { value, unit, standardError, state } of parameters) {
        expect(value).toBeGreaterThanOrEqual(0);
        expect(unit).toMatch(/^ms/);
        expect(standardError === null).toBe(state !== 'estimated');
      }
    }
  });

  it('find the tiles and the coefficients of the kernels', () => {
    const waves = model.forms.find(({ form }) => form === 'kernel-waves');
    const extra = waves?.extra as { waves: { name: string; points: number; channels: number }[] };
    const tiles = new Map(extra.waves.map(({ name, points, channels }) => [name, [points, channels]]));
    expect(tiles.get('eng1_k2=0')).toEqual([64, 64]);
    expect(tiles.get('eng2_k2=1')).toEqual([128, 128]);
    const of = (group: string, parameter: string) =>
      waves?.groups.find((g) => g.group === group)?.parameters.find(({ name }) => name === parameter)?.value;
    expect(of('eng1_k2=0', 'wave_step')).toBeCloseTo(6e-4, 4);
    expect(of('eng2_k2=1', 'wave_step')).toBeCloseTo(4e-4, 4);
    expect(of('eng1_k2=0', 't0')).toBeCloseTo(0.004, 2);
  });

  it('predict new shapes with the kernel better than models without kernels', () => {
    const known = evaluate(model, withKernel(fresh));
    const blind = evaluate(
      fitModel(randomShapes(300, law, 0.01, 3, [1, 3]), { device, origin: ORIGIN }),
      fresh,
    );
    expect(known.medianApe).toBeLessThan(0.03);
    expect(known.medianApe).toBeLessThan(0.6 * blind.medianApe);
    expect(known.coverage).toBeGreaterThan(0.85);
  });

  it('assume a kernel that is not given, report it, and have a wider interval', () => {
    const predict = compileModel(model);
    const right = fresh.filter(({ spec }) => predict(spec).kernel?.name === kernelOf(spec)).length;
    expect(right / fresh.length).toBeGreaterThan(0.95);
    const [one] = fresh;
    if (!one) throw new Error('no shape');
    expect(predict(one.spec, 'eng1_k2=0').kernel).toEqual({
      name: 'eng1_k2=0',
      probability: 1,
      source: 'given',
    });
    expect(predict(one.spec).kernel).toMatchObject({ source: 'classifier' });
    expect(model.kernels).toMatchObject({ given: 300 });
    expect(model.kernels?.accuracy).toBeGreaterThan(0.9);
    const sure = (spec: ConvSpec): number => predict(spec).kernel?.probability ?? 1;
    const unsure = fresh.reduce((a, b) => (sure(b.spec) < sure(a.spec) ? b : a));
    expect(sure(unsure.spec)).toBeLessThan(1);
    const width = ({ lowerMs, upperMs }: { lowerMs: number | null; upperMs: number | null }) =>
      (upperMs ?? NaN) / (lowerMs ?? NaN);
    expect(width(predict(unsure.spec))).toBeGreaterThan(width(predict(unsure.spec, kernelOf(unsure.spec))));
    expect(evaluate(model, fresh).coverage).toBeGreaterThan(0.85);
  });

  it('predict an unseen kernel by its engine, or by all samples', () => {
    const predict = compileModel(model);
    const [{ spec }] = fresh as [FitSample];
    for (const kernel of ['eng1_k2=9', 'eng77_k2=1', 'a program of ours']) {
      const { predictedMs } = predict(spec, kernel);
      expect(Math.abs(Math.log(predictedMs / law(spec)))).toBeLessThan(2);
    }
  });

  it('learn from timings without kernels when shapes are labelled', () => {
    const assumed = fitModel(randomShapes(300, law, 0.01, 3, [1, 3]), {
      device,
      kernelLabels: labels,
      origin: ORIGIN,
    });
    expect(assumed.chosenForm).toMatch(/^kernel-/);
    // some of them may be labelled shapes by chance
    expect(assumed.kernels?.given).toBeLessThan(10);
  });

  it('are the same for the same samples in any order', () => {
    const again = fitModel([...samples].reverse(), {
      device,
      kernelLabels: [...labels].reverse(),
      origin: ORIGIN,
    });
    expect(JSON.stringify(again)).toBe(JSON.stringify(model));
  });

  it('need kernels when they are requested by name', () => {
    const without = randomShapes(60, law, 0.01, 3, [1, 3]);
    expect(() => fitModel(without, { form: 'kernel-waves', origin: ORIGIN })).toThrow(/kernels are known/);
  });

  it('are read from JSON, and refused when they are not complete', () => {
    const read = JSON.parse(JSON.stringify(model)) as typeof model;
    const [{ spec }] = fresh as [FitSample];
    expect(compileModel(read)(spec)).toEqual(compileModel(model)(spec));
    const cut = JSON.parse(
      JSON.stringify(model).replace(/"trees":\[\[\d+,/, '"trees":[[99999,'),
    ) as typeof model;
    expect(() => compileModel(cut)).toThrow(/kernel classifier/);
  });
});
