import { alpha, CONV_SPEC_DEFAULTS, kernelPoints, macs, outputPoints, type ConvSpec } from '@alphaflops/conv';
import type { Model } from '@alphaflops/contracts';
import { modelJsonSchema, parseModel } from './document.js';
import { fitModel } from './fit-model.js';
import { compileModel, evaluate, predict } from './predict.js';
import type { FitSample } from './sample.js';

const COEFFICIENTS = { beta: 0.01, gamma: 0.8 };
const timeMs = (spec: ConvSpec): number =>
  0.03 + (0.05 * alpha(outputPoints(spec), kernelPoints(spec), COEFFICIENTS) * macs(spec)) / 1e6;
/** A grid of 108 shapes, with a deterministic wobble of a few percent. */
const samples: FitSample[] = [4, 8, 16, 32, 64, 128].flatMap((size) =>
  [8, 64, 256].flatMap((cin) =>
    [16, 128].flatMap((cout) =>
      [1, 3, 5].map((kernel) => {
        const spec: ConvSpec = {
          ...CONV_SPEC_DEFAULTS,
          height: size,
          width: size,
          cin,
          cout,
          kernel_h: kernel,
          kernel_w: kernel,
        };
        return { spec, timeMs: timeMs(spec) * (1 + 0.03 * Math.sin(size + cin + cout + kernel)) };
      }),
    ),
  ),
);
const model: Model = fitModel(samples, {
  form: 'alpha-latency',
  origin: { digest: '', codeVersion: '0', createdAt: '2026-01-01T00:00:00Z' },
});
const inside =
  samples[40]?.spec ??
  (() => {
    throw new Error('no sample');
  })();

describe('predictions', () => {
  it('are near the truth, with the truth inside the interval', () => {
    const prediction = predict(model, inside);
    expect(prediction.predictedMs / timeMs(inside)).toBeGreaterThan(0.95);
    expect(prediction.predictedMs / timeMs(inside)).toBeLessThan(1.05);
    expect(prediction.lowerMs).toBeLessThan(timeMs(inside));
    expect(prediction.upperMs).toBeGreaterThan(timeMs(inside));
    expect(prediction).toMatchObject({ inDomain: true, macs: macs(inside), flops: 2 * macs(inside) });
  });

  it.each(['flops', 'alpha', 'alpha-latency'])(
    'of %s have an α that turns FLOPs into the predicted time',
    (form) => {
      const rate = model.forms
        .find((fitted) => fitted.form === 'alpha')
        ?.groups.find(({ group }) => group === 'other')
        ?.parameters.find(({ name }) => name === 'c')?.value;
      const prediction = compileModel(model, form)(inside);
      expect(kernelPoints(inside)).toBeGreaterThan(1);
      expect(((rate ?? NaN) * prediction.alphaFlops) / 2 / 1e6).toBeCloseTo(prediction.predictedMs, 12);
      expect(prediction.alphaFlops).toBeCloseTo(prediction.alpha * prediction.flops, 3);
    },
  );

  it('of the alpha form have the α of the paper', () => {
    const group = model.forms.find(({ form }) => form === 'alpha')?.groups.find((g) => g.group === 'other');
    const [beta = NaN, gamma = NaN] = group?.parameters.map(({ value }) => value) ?? [];
    const { alpha: predicted } = compileModel(model, 'alpha')(inside);
    expect(predicted).toBeCloseTo(alpha(outputPoints(inside), kernelPoints(inside), { beta, gamma }), 12);
  });

  it('have wider intervals outside the ranges of the samples, the wider the further', () => {
    const ranged: Model = structuredClone(model);
    delete ranged.neighbours;
    const width = (change: Partial<ConvSpec>): number => {
      const { lowerMs, upperMs } = predict(ranged, { ...inside, ...change });
      return Math.log((upperMs ?? NaN) / (lowerMs ?? NaN)) / 2;
    };
    const base = model.interval.logHalfWidth ?? NaN;
    expect(width({})).toBeCloseTo(base, 12);
    expect(width({ dtype: 'f16' })).toBeCloseTo(2 * base, 12);
    expect(width({ height: 256 })).toBeCloseTo(3 * base, 12);
    expect(width({ height: 1024 })).toBeCloseTo(5 * base, 12);
    expect(width({ cin: 4 })).toBeCloseTo(3 * base, 12);
  });

  it.each([
    { batch: 2 },
    { height: 129 },
    { cin: 7 },
    { cout: 500 },
    { kernel_h: 7 },
    { stride: 2 },
    { groups: 2 },
    { dtype: 'f16' },
    { padding: 'valid' },
    { layout: 'NHWC' },
  ] as const)('are out of the domain for %p', (change) => {
    expect(predict(model, { ...inside, ...change }).inDomain).toBe(false);
  });

  it('have no interval for a form that was not chosen', () => {
    expect(compileModel(model, 'flops')(inside)).toMatchObject({ lowerMs: null, upperMs: null });
    expect(evaluate(model, samples, 'flops').coverage).toBeNull();
  });

  it('refuse a spec without output and a form that the model lacks', () => {
    const empty: ConvSpec = { ...inside, height: 1, kernel_h: 3, padding: 'valid' };
    expect(() => predict(model, empty)).toThrow(/no output/);
    const bare = { ...model, forms: model.forms.filter(({ form }) => form !== 'alpha') };
    expect(() => compileModel(bare)).toThrow(/the model has no form "alpha", only flops, alpha-latency/);
    expect(() => compileModel(model, 'cubic')).toThrow(/no form "cubic"/);
  });

  it('take microseconds, not milliseconds', () => {
    const predictor = compileModel(model);
    const measure = (): number => {
      const start = performance.now();
      for (let k = 0; k < 50; k++) for (const { spec } of samples) predictor(spec);
      return ((performance.now() - start) * 1000) / 50 / samples.length;
    };
    // 4 µs in a plain process; the test runner and a busy machine multiply that
    expect(Math.min(...Array.from({ length: 5 }, measure))).toBeLessThan(200);
  });
});

describe('the document', () => {
  it('survives JSON unchanged', () => {
    const read = parseModel(JSON.stringify(model));
    expect(read).toEqual(model);
    expect(predict(read, inside)).toEqual(predict(model, inside));
  });

  it('is read without the fields that came later', () => {
    const { loss, domainLevels, neighbours, heldOut, ...older } = model;
    expect([neighbours, heldOut]).not.toContain(undefined);
    expect(loss).toBe('relative');
    expect(Object.keys(domainLevels)).toEqual(['dtype', 'padding', 'layout']);
    const read = parseModel(older);
    expect(read).toMatchObject({ loss: 'relative', domainLevels: {} });
    expect(predict(read, inside)).toEqual(predict(model, inside));
  });

  it.each([
    ['{', /^not JSON: /],
    ['[]', /no "schema" field/],
    [
      { ...model, schema: 'alphaflops.model/9' },
      /expected schema "alphaflops.model\/1", found "alphaflops.model\/9"/,
    ],
    [{ ...model, seed: 'x' }, /seed/],
    [{ ...model, interval: { coverage: 2 } }, /interval/],
    [{ ...model, forms: [{ form: 'quantum', groups: [], heldOut: null }] }, /no form "quantum"; known forms/],
  ])('is refused with a reason: %#', (document, reason) => {
    expect(() => parseModel(document)).toThrow(reason);
  });

  it('needs every parameter of a form', () => {
    const broken = structuredClone(model);
    broken.forms[2]?.groups[0]?.parameters.pop();
    expect(() => compileModel(broken)).toThrow(/alpha-latency needs parameter c, which its group 1x1 lacks/);
  });

  it('has a JSON Schema that names its required fields', () => {
    const { $schema, $ref, $defs } = modelJsonSchema();
    expect($schema).toMatch(/json-schema.org/);
    expect($ref).toBe('#/$defs/Model');
    const { required } = ($defs as Record<string, { required: string[] }>)['Model'] ?? {};
    expect(required).toEqual(expect.arrayContaining(['schema', 'chosenForm', 'forms', 'interval', 'domain']));
    expect(required).not.toContain('domainLevels');
  });
});
