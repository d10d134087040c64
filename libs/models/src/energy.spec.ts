import { macs, type ConvSpec } from '@alphaflops/conv';
import { diffModels } from './diff-models.js';
import { parseModel } from './document.js';
import { fitModel, type FitOptions } from './fit-model.js';
import { compileModel, evaluateEnergy } from './predict.js';
import { randomShapes } from './random-shapes.spec-helper.js';
import type { FitSample } from './sample.js';

/** With jumps that few samples do not show. */
const timeMs = (spec: ConvSpec): number =>
  0.02 +
  (spec.cin > 100 ? 2 : 1) *
    (spec.height > 60 ? 0.5 : 1) *
    (spec.cout > 200 ? 0.6 : 1) *
    (macs(spec) / 1e8) ** 0.8;
/** 100 W, and 1 nJ for each multiply-add: millijoules are watts times milliseconds. */
const energyMillijoules = (spec: ConvSpec): number => 100 * timeMs(spec) + 1e-6 * macs(spec);
const timed = randomShapes(400, timeMs, 0.03, 1, [1, 3]);
const unseen = randomShapes(300, timeMs, 0.03, 9, [1, 3]).map((sample) => ({
  ...sample,
  energyMillijoules: energyMillijoules(sample.spec),
}));
const withEnergy = (count: number): FitSample[] =>
  timed.map((sample, i) => ({
    ...sample,
    energyMillijoules: i < count ? energyMillijoules(sample.spec) : null,
  }));
const fit = (samples: readonly FitSample[], options: Partial<FitOptions> = {}) =>
  fitModel(samples, {
    device: { smCount: 20 },
    origin: { digest: '', codeVersion: '0', createdAt: '2026-01-01T00:00:00Z' },
    ...options,
  });

describe('energy', () => {
  const model = fit(withEnergy(40));

  it('is fitted by the same forms as time, in millijoules, with errors and an interval', () => {
    const { energy } = model;
    expect(energy?.data).toEqual({ samples: 40, shapes: 40 });
    expect(energy?.forms.map(({ form }) => form)).toEqual(
      expect.arrayContaining(['flops', 'alpha', 'alpha-latency']),
    );
    for (const { form, heldOut, groups } of energy?.forms ?? []) {
      expect([form, heldOut?.n]).toEqual([form, 40]);
      for (const { unit } of groups.flatMap(({ parameters }) => parameters))
        expect(unit).not.toMatch(/\bms\b/);
    }
    const judged = evaluateEnergy(model, unseen);
    expect(judged?.medianApe).toBeLessThan(0.2);
    expect(judged?.coverage).toBeGreaterThan(0.8);
  });

  it('of few samples starts from the time of many, and does not underestimate its error', () => {
    const alone = fit(withEnergy(40).slice(0, 40));
    expect(model.energy?.chosenForm).toBe('activity-power');
    const error = evaluateEnergy(model, unseen)?.medianApe ?? NaN;
    expect(error).toBeLessThan(evaluateEnergy(alone, unseen)?.medianApe ?? NaN);
    const foreseen = model.energy?.forms.find(({ form }) => form === 'activity-power')?.heldOut?.medianApe;
    expect(foreseen).toBeGreaterThan(0.7 * error);
  });

  it('consists of static power, busy multiprocessors, multiply-adds and bytes; few samples determine them', () => {
    const truth = { P_static: 90, P_busy: 160, e_mac: 5, e_in: 120, e_out: 200 };
    const busy = ({ height, width, cout, batch }: ConvSpec) =>
      Math.min(1, (Math.ceil((batch * height * width) / 64) * Math.ceil(cout / 64)) / 20);
    const tiles = (size: number) => 32 * Math.ceil(size / 32);
    const law = (spec: ConvSpec): number => {
      const points = spec.batch * spec.height * spec.width;
      const work = tiles(points) * tiles(spec.cout) * tiles(spec.cin * spec.kernel_h * spec.kernel_w);
      return (
        timeMs(spec) * (truth.P_static + truth.P_busy * busy(spec)) +
        1e-9 * truth.e_mac * work +
        4e-9 * points * (truth.e_in * spec.cin + truth.e_out * spec.cout)
      );
    };
    const exact = randomShapes(400, timeMs, 0, 1, [1, 3]);
    const samples = exact.map((sample, i) => ({
      ...sample,
      energyMillijoules: i < 60 ? law(sample.spec) : null,
    }));
    const { energy } = fit(samples);
    const found = energy?.forms.find(({ form }) => form === 'activity-power')?.groups[0]?.parameters ?? [];
    for (const [name, value] of Object.entries(truth)) {
      const parameter = found.find((candidate) => candidate.name === name);
      expect([name, (parameter?.value ?? NaN) / value]).toEqual([name, expect.closeTo(1, 3)]);
    }
  });

  it('is learnt from one meter only, the one with the most samples', () => {
    const meterOf = (i: number) => (i < 26 ? 'nvml-total-energy' : 'program');
    const samples = withEnergy(40).map((sample, i) =>
      sample.energyMillijoules == null
        ? sample
        : {
            ...sample,
            energyMeter: meterOf(i),
            energyMillijoules: sample.energyMillijoules * (i < 26 ? 1 : 50),
          },
    );
    const mixed = fit(samples);
    expect(mixed.energy?.data).toEqual({ samples: 26, shapes: 26, meter: 'nvml-total-energy' });
    expect(mixed.notes).toContain(
      'the energies of 14 samples are left out: they do not come from the meter nvml-total-energy',
    );
    const alone = fit(samples.map((sample, i) => (i < 26 ? sample : { ...sample, energyMillijoules: null })));
    expect(mixed.energy?.forms).toEqual(alone.energy?.forms);
  });

  it('cannot be a form of time', () => {
    expect(() => fit(timed, { form: 'activity-power' })).toThrow(/a form of energy, not of time/);
  });

  it('does not change the fit of time', () => {
    const { energy, ...rest } = fit(withEnergy(40).slice(0, 50));
    expect(energy).toBeDefined();
    expect(rest).toEqual(fit(timed.slice(0, 50)));
  });

  it('gives the same predictions after a round trip through JSON, which stores the time model once', () => {
    const text = JSON.stringify(model);
    const predict = compileModel(parseModel(text));
    const first = compileModel(model);
    for (const { spec } of unseen.slice(0, 20)) {
      const prediction = first(spec);
      expect(predict(spec)).toEqual(prediction);
      expect(prediction.lowerEnergyMillijoules).toBeLessThan(prediction.energyMillijoules ?? NaN);
      expect(prediction.upperEnergyMillijoules).toBeGreaterThan(prediction.energyMillijoules ?? NaN);
    }
    expect(JSON.stringify(model.energy).length).toBeLessThan(0.5 * text.length);
  });

  it('is null for a form that is not chosen, and for a model without energy', () => {
    const [layer] = unseen;
    const nothing = {
      energyMillijoules: null,
      lowerEnergyMillijoules: null,
      upperEnergyMillijoules: null,
      energyInDomain: null,
    };
    if (!layer) throw new Error('there are unseen layers');
    expect(compileModel(model, 'alpha')(layer.spec)).toMatchObject(nothing);
    expect(compileModel(fit(timed.slice(0, 20)))(layer.spec)).toMatchObject(nothing);
    expect(evaluateEnergy(fit(timed.slice(0, 20)), unseen)).toBeNull();
    expect(evaluateEnergy(model, timed)).toBeNull();
  });

  it('of fewer than ten shapes is not fitted, and a note reports this', () => {
    const { energy, notes } = fit(withEnergy(9).slice(0, 40));
    expect(energy).toBeUndefined();
    expect(notes).toContain('9 samples with energy have too few shapes for a model of energy (10 needed)');
  });

  it('is fitted by the best other form if the requested form needs more shapes', () => {
    const { chosenForm, energy } = fit(withEnergy(20), { form: 'alpha-axes' });
    expect(chosenForm).toBe('alpha-axes');
    expect(energy?.chosenForm).not.toBe('alpha-axes');
  });

  it('is refused if it is not a positive number', () => {
    for (const wrong of [0, -1, NaN, Infinity]) {
      const samples = withEnergy(40)
        .slice(0, 40)
        .map((sample, i) => (i === 3 ? { ...sample, energyMillijoules: wrong } : sample));
      expect(() => fit(samples)).toThrow(
        /sample 4 \(b1-.*\) has an energy of .* mJ; energies must be positive/,
      );
    }
  });

  it('is part of the difference between two models', () => {
    const { errors } = diffModels(fit(withEnergy(30).slice(0, 30)), model);
    expect(errors.map(({ what }) => what)).toContain('energy activity-power medianApe');
  });
});
