import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { CONV_SPEC_DEFAULTS, kernelPoints, macs, publishedTimeMs, type ConvSpec } from '@alphaflops/conv';
import type { Model } from '@alphaflops/contracts';
import { fitModel } from './fit-model.js';
import { judge } from './metrics.js';
import { evaluate } from './predict.js';
import type { FitSample } from './sample.js';

/** The authors' measurements on a Quadro T2000. They are outside the repository and may be absent. */
const FILE = path.resolve(import.meta.dirname, '../../../../shared/data/asperti-2021-quadro-t2000.csv');
const available = existsSync(FILE);
const title = available
  ? 'the paper’s own data'
  : `the paper’s own data (skipped: no ${path.basename(FILE)})`;

function readSamples(): FitSample[] {
  const [header = '', ...lines] = readFileSync(FILE, 'utf8').trim().split(/\r?\n/);
  const columns = header.split(',');
  return lines.flatMap((line) => {
    const cells = line.split(',');
    const cell = (name: string): string => cells[columns.indexOf(name)] ?? '';
    if (cell('series') === 'increasing_batch') return [];
    const spec: ConvSpec = {
      ...CONV_SPEC_DEFAULTS,
      height: Number(cell('H')),
      width: Number(cell('W')),
      cin: Number(cell('Cin')),
      cout: Number(cell('Cout')),
      kernel_h: Number(cell('K1')),
      kernel_w: Number(cell('K2')),
    };
    return [{ spec, timeMs: Number(cell('T_ms')) }];
  });
}

(available ? describe : describe.skip)(title, () => {
  const samples = available ? readSamples() : [];
  const pointwise = samples.filter(({ spec }) => kernelPoints(spec) === 1);
  const larger = samples.filter(({ spec }) => kernelPoints(spec) > 1);
  const fit = (options: { form: string; loss?: 'relative' | 'absolute' }): Model =>
    fitModel(samples, {
      ...options,
      origin: { digest: '', codeVersion: '0', createdAt: '2026-01-01T00:00:00Z' },
    });
  const byLaw = (law: (spec: ConvSpec) => number) =>
    judge(
      samples.map(({ spec, timeMs }) => ({
        measured: timeMs,
        predicted: law(spec),
        lower: null,
        upper: null,
      })),
    );

  it('has 590 rows without the batch series', () => {
    expect([samples.length, pointwise.length, larger.length]).toEqual([590, 172, 418]);
  });

  it('the published coefficients give the published errors', () => {
    const metrics = byLaw(publishedTimeMs);
    expect(metrics.mape).toBeCloseTo(0.246, 3);
    expect(metrics.medianApe).toBeCloseTo(0.129, 3);
    expect(metrics.within10).toBeCloseTo(0.395, 3);
    expect(metrics.r2).toBeCloseTo(0.977, 3);
  });

  it('FLOPs times the median rate give the known baseline', () => {
    const rates = samples.map(({ spec, timeMs }) => timeMs / macs(spec)).sort((a, b) => a - b);
    const rate = ((rates[294] ?? NaN) + (rates[295] ?? NaN)) / 2;
    const metrics = byLaw((spec) => rate * macs(spec));
    expect(metrics.mape).toBeCloseTo(0.61, 3);
    expect(metrics.medianApe).toBeCloseTo(0.585, 3);
    expect(metrics.within10).toBeCloseTo(0.073, 3);
    expect(metrics.r2).toBeCloseTo(0, 2);
    // the robust fit of the flops form is within a few percent of that rate
    const fitted = fit({ form: 'flops' }).forms[0]?.groups[0]?.parameters[0]?.value ?? NaN;
    expect(fitted / (rate * 1e6)).toBeGreaterThan(0.9);
    expect(fitted / (rate * 1e6)).toBeLessThan(1.1);
  });

  it('alpha-latency refitted is as good as it was elsewhere', () => {
    const model = fit({ form: 'alpha-latency' });
    const one = evaluate(model, pointwise);
    expect(one.mape).toBeLessThanOrEqual(0.2105);
    expect(one.medianApe).toBeLessThanOrEqual(0.1125);
    expect(one.within10).toBeGreaterThanOrEqual(0.4355);
    expect(one.r2).toBeGreaterThanOrEqual(0.9425);
    const rest = evaluate(model, larger);
    expect(rest.mape).toBeLessThanOrEqual(0.1235);
    expect(rest.medianApe).toBeLessThanOrEqual(0.0915);
    expect(rest.within10).toBeGreaterThanOrEqual(0.5445);
    expect(rest.r2).toBeGreaterThanOrEqual(0.9715);
  });

  it('chooses boosted of all forms, far better than FLOPs on held-out shapes', () => {
    const model = fit({ form: 'auto' });
    expect(model.chosenForm).toBe('boosted');
    expect(model.forms.map(({ form }) => form)).toEqual([
      'flops',
      'alpha',
      'alpha-latency',
      'alpha-axes',
      'boosted',
    ]);
    const heldOut = (form: string) => model.forms.find((f) => f.form === form)?.heldOut?.medianApe ?? NaN;
    expect(heldOut('boosted')).toBeLessThan(0.05);
    expect(heldOut('alpha-axes')).toBeLessThan(0.07);
    expect(heldOut('flops')).toBeGreaterThan(0.5);
  });

  it('absolute loss gives the six coefficients of ordinary curve fitting', () => {
    const model = fit({ form: 'alpha', loss: 'absolute' });
    const groups = model.forms.find(({ form }) => form === 'alpha')?.groups ?? [];
    const values = groups.map(({ parameters }) => parameters.map(({ value }) => value));
    // from scipy.optimize.curve_fit with its standard errors
    const want = [
      [0.0343176, 1.163212, 0.0398762],
      [0.00252735, 0.707226, 0.0550672],
    ];
    const errors = [
      [0.00633749, 0.06573825, 0.00100821],
      [0.00027831, 0.0215051, 0.0031784],
    ];
    groups.forEach(({ parameters }, g) => {
      parameters.forEach(({ standardError }, k) => {
        expect(Math.abs((values[g]?.[k] ?? NaN) / (want[g]?.[k] ?? NaN) - 1)).toBeLessThan(5e-4);
        expect(Math.abs((standardError ?? NaN) / (errors[g]?.[k] ?? NaN) - 1)).toBeLessThan(5e-3);
      });
    });
    expect(groups.map(({ group }) => group)).toEqual(['1x1', 'other']);
  });
});
