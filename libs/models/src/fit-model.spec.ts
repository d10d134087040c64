import { alpha, CONV_SPEC_DEFAULTS, kernelPoints, macs, outputPoints, type ConvSpec } from '@alphaflops/conv';
import { ModelSchema, type FittedGroup, type Model } from '@alphaflops/contracts';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { alphaLatencyForm } from './alpha-forms.js';
import { ModelError } from './error.js';
import { fitModel, type FitOptions } from './fit-model.js';
import { evaluate } from './predict.js';
import { timeSamples, type FitSample } from './sample.js';

const origin = { digest: 'sha256:0', codeVersion: '0.1.0', createdAt: '2026-01-01T00:00:00Z' };
const fit = (samples: readonly FitSample[], options: Partial<FitOptions> = {}): Model =>
  fitModel(samples, { origin, ...options });

/** Uniform and normal numbers of one seed. */
function randomness(seed: number) {
  const generator = xoroshiro128plus(seed);
  const uniform = (): number => uniformFloat64(generator);
  return {
    logUniform: (low: number, high: number) => Math.round(low * (high / low) ** uniform()),
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  };
}

type Law = (spec: ConvSpec) => number;

/** `count` random shapes timed by a law, with log-normal noise. */
function synthetic(count: number, law: Law, noise: number, seed: number, kernels = [1, 3, 5]): FitSample[] {
  const random = randomness(seed);
  return Array.from({ length: count }, (_, i) => {
    const kernel = kernels[i % kernels.length] ?? 1;
    const size = random.logUniform(1, 400);
    const spec: ConvSpec = {
      ...CONV_SPEC_DEFAULTS,
      height: size,
      width: size,
      cin: random.logUniform(32, 1024),
      cout: random.logUniform(32, 1024),
      kernel_h: kernel,
      kernel_w: kernel,
    };
    return { spec, timeMs: law(spec) * Math.exp(noise * random.normal()) };
  });
}

const TRUTH = {
  '1x1': { t0: 0.002, beta: 0.03, gamma: 0.9, c: 0.04 },
  other: { t0: 0.005, beta: 0.005, gamma: 0.6, c: 0.05 },
};
const alphaLaw: Law = (spec) => {
  const { t0, c, ...coefficients } = TRUTH[kernelPoints(spec) === 1 ? '1x1' : 'other'];
  return t0 + (c * alpha(outputPoints(spec), kernelPoints(spec), coefficients) * macs(spec)) / 1e6;
};
const flopsLaw: Law = (spec) => (0.1 * macs(spec)) / 1e6;

const groupsOf = (model: Model, form: string): readonly FittedGroup[] =>
  model.forms.find((fitted) => fitted.form === form)?.groups ?? [];
const parameter = (group: FittedGroup | undefined, name: string) => {
  const found = group?.parameters.find((p) => p.name === name);
  if (!found) throw new Error(`no parameter ${name}`);
  return found;
};

describe('recovery of a known law', () => {
  const model = fit(synthetic(600, alphaLaw, 0.05, 11));

  it('chooses the form that made the data', () => {
    expect(model.chosenForm).toBe('alpha-latency');
    expect(model.forms.map(({ form }) => form)).toEqual(['flops', 'alpha', 'alpha-latency']);
  });

  it.each(['1x1', 'other'] as const)('finds every parameter within its error: %s', (name) => {
    const group = groupsOf(model, 'alpha-latency').find((candidate) => candidate.group === name);
    for (const [key, truth] of Object.entries(TRUTH[name])) {
      const { value, standardError, state } = parameter(group, key);
      expect(state).toBe('estimated');
      expect(Math.abs(value - truth)).toBeLessThan(3.5 * (standardError ?? 0));
      expect(standardError).toBeLessThan(0.5 * truth);
    }
  });

  it('has standard errors of the right size', () => {
    const zs = Array.from({ length: 25 }, (_, k) => {
      const samples = timeSamples(synthetic(120, alphaLaw, 0.05, 100 + k, [3]));
      const { groups } = alphaLatencyForm.fit(samples, { seed: 1, loss: 'relative', device: {} });
      const { value, standardError } = parameter(groups[0], 'gamma');
      return (value - TRUTH.other.gamma) / (standardError ?? NaN);
    });
    const spread = Math.sqrt(zs.reduce((sum, z) => sum + z * z, 0) / zs.length);
    expect(spread).toBeGreaterThan(0.6);
    expect(spread).toBeLessThan(1.5);
  });

  it('covers about the asked share of new shapes', () => {
    const unseen = synthetic(2000, alphaLaw, 0.05, 12);
    const { coverage, medianApe } = evaluate(model, unseen);
    expect(coverage).toBeGreaterThan(0.87);
    expect(coverage).toBeLessThan(0.93);
    // median of |exp(0.05 z) − 1|
    expect(medianApe).toBeGreaterThan(0.03);
    expect(medianApe).toBeLessThan(0.038);
  });

  it('tells the held-out error it then has', () => {
    const heldOut = model.forms.find(({ form }) => form === model.chosenForm)?.heldOut;
    const { medianApe } = evaluate(model, synthetic(2000, alphaLaw, 0.05, 13));
    expect(Math.abs((heldOut?.medianApe ?? NaN) - medianApe)).toBeLessThan(0.005);
    expect(heldOut?.n).toBe(600);
  });
});

describe('time proportional to FLOPs', () => {
  it.each([0, 0.02, 0.3])('says that β and γ are not identifiable at noise %d', (noise) => {
    const model = fit(synthetic(150, flopsLaw, noise, 5));
    expect(model.notes.join('\n')).toMatch(/α is 1 and β and γ are not identifiable/);
    for (const group of groupsOf(model, 'alpha')) {
      expect(parameter(group, 'beta')).toMatchObject({ state: 'not-identifiable', standardError: null });
      expect(parameter(group, 'gamma')).toMatchObject({ state: 'not-identifiable', standardError: null });
      const c = parameter(group, 'c');
      expect(c.state).toBe('estimated');
      expect(c.value).toBeCloseTo(0.1, noise > 0.1 ? 1 : 2);
    }
  });

  it('prefers the simpler form when it is as good', () => {
    expect(fit(synthetic(150, flopsLaw, 0, 5)).chosenForm).toBe('flops');
  });
});

describe('determinism', () => {
  const samples = synthetic(80, alphaLaw, 0.1, 3);

  it('gives the same bytes for the same samples in any order', () => {
    const bytes = JSON.stringify(fit(samples));
    expect(JSON.stringify(fit(samples))).toBe(bytes);
    expect(JSON.stringify(fit([...samples].reverse()))).toBe(bytes);
  });

  it('deals the folds by the seed', () => {
    const heldOut = (seed: number) => fit(samples, { seed }).forms[0]?.heldOut?.mape;
    expect(heldOut(1)).not.toBe(heldOut(2));
  });

  it('keeps all samples of one shape in one fold', () => {
    // each shape four times with a factor of its own: a leak would show as a held-out error below that factor
    const random = randomness(9);
    const repeated = synthetic(40, flopsLaw, 0, 4, [3]).flatMap(({ spec, timeMs }) => {
      const own = Math.exp(0.5 * random.normal());
      return [1, 1, 1, 1].map(() => ({ spec, timeMs: timeMs * own }));
    });
    const once = repeated.filter((_, i) => i % 4 === 0);
    const many = fit(repeated, { form: 'flops' }).forms[0]?.heldOut;
    const single = fit(once, { form: 'flops' }).forms[0]?.heldOut;
    expect(many?.n).toBe(160);
    expect(many?.medianApe).toBeCloseTo(single?.medianApe ?? NaN, 6);
  });
});

describe('data that limit the model', () => {
  const good = synthetic(60, alphaLaw, 0.05, 21);
  const [first] = good;
  if (!first) throw new Error('no samples');

  it.each([0, -1, NaN, Infinity])('refuses a time of %p, naming the sample', (timeMs) => {
    const bad = [...good.slice(0, 7), { spec: first.spec, timeMs }];
    expect(() => fit(bad)).toThrow(ModelError);
    expect(() => fit(bad)).toThrow(/^sample 8 \(b1-h.*has a time of/);
  });

  it('refuses no samples, an unknown form and a senseless coverage', () => {
    expect(() => fit([])).toThrow(/no samples/);
    expect(() => fit(good, { form: 'cubic' })).toThrow(/no form "cubic"; known forms: flops, alpha/);
    expect(() => fit(good, { coverage: 90 })).toThrow(/between 0 and 1/);
  });

  it('refuses a spec without output', () => {
    const spec: ConvSpec = { ...first.spec, height: 2, width: 2, kernel_h: 3, kernel_w: 3, padding: 'valid' };
    expect(() => fit([{ spec, timeMs: 1 }])).toThrow(/no output/);
  });

  it.each([1, 2, 3, 5, 9])('makes a finite model of %i samples and says that they are few', (count) => {
    const model = fit(good.slice(0, count));
    expect(model.notes.join('\n')).toMatch(/too few to hold any out/);
    expect(model.chosenForm).toBe('flops');
    expect(model.interval.logHalfWidth).toBeNull();
    expect(model.forms.every(({ heldOut }) => heldOut === null)).toBe(true);
    expect(evaluate(model, good).mape).toBeLessThan(Infinity);
    expect(fit(good.slice(0, count), { form: 'alpha-latency' }).chosenForm).toBe('alpha-latency');
  });

  it('fits a single kernel size, and says so', () => {
    const model = fit(synthetic(60, alphaLaw, 0.05, 22, [3]));
    expect(groupsOf(model, 'alpha').map(({ group }) => group)).toEqual(['other']);
    expect(model.notes).toContain('all samples have 3×3 kernels');
  });

  it('pools a kernel group that is too small', () => {
    const model = fit([...synthetic(60, alphaLaw, 0.05, 23, [3]), ...synthetic(2, alphaLaw, 0.05, 24, [1])]);
    expect(groupsOf(model, 'alpha').map(({ group, n }) => [group, n])).toEqual([
      ['other', 60],
      ['all', 62],
    ]);
    expect(model.notes.join('\n')).toMatch(/alpha: 2 shapes with 1x1 kernels are too few/);
  });

  it('is not led astray by one outlier × 1000, and counts it', () => {
    const spoilt = good.map((sample, i) => (i === 30 ? { ...sample, timeMs: sample.timeMs * 1000 } : sample));
    const model = fit(spoilt);
    expect(evaluate(model, good).medianApe).toBeLessThan(0.06);
    expect(model.notes).toContain('1 of 60 samples are off by more than a factor of 10');
  });

  it('says what equal times mean', () => {
    const model = fit(good.map(({ spec }) => ({ spec, timeMs: 0.25 })));
    expect(model.notes.join('\n')).toMatch(/all times are equal/);
    expect(model.forms[0]?.heldOut?.r2).toBeNull();
    expect(evaluate(model, [{ spec: first.spec, timeMs: 0.25 }]).mape).toBeLessThan(0.05);
  });

  it('accepts duplicated shapes', () => {
    const model = fit([...good, ...good]);
    expect(model.data).toMatchObject({ samples: 120, shapes: 60 });
  });
});

it('copies the origin into the document', () => {
  const model = fit(synthetic(20, alphaLaw, 0.05, 1), {
    device: { smCount: 132 },
    origin: { ...origin, deviceClassId: 'h100', excluded: { noisy: 3 }, design: 'random' },
  });
  expect(ModelSchema.parse(JSON.parse(JSON.stringify(model)))).toEqual(model);
  expect(model).toMatchObject({
    deviceClassId: 'h100',
    design: 'random',
    device: { smCount: 132 },
    data: { digest: 'sha256:0', samples: 20, shapes: 20, excluded: { noisy: 3 } },
    createdAt: origin.createdAt,
    id: null,
  });
});
