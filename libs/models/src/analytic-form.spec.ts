import { CONV_SPEC_DEFAULTS, kernelPoints, macs, type ConvSpec } from '@alphaflops/conv';
import { alphaForm } from './alpha-forms.js';
import { analyticForm } from './analytic-form.js';
import type { AnalyticForm } from './analytic-formula.js';
import type { FitContext } from './form.js';
import { FORMS, formNamed } from './forms.js';
import { unitText } from './form.js';
import { timeSamples } from './sample.js';

const context: FitContext = { seed: 1, loss: 'relative', device: { clockGhz: 2 } };
const spec = (change: Partial<ConvSpec>): ConvSpec => ({
  ...CONV_SPEC_DEFAULTS,
  height: 16,
  width: 16,
  cin: 32,
  cout: 32,
  kernel_h: 3,
  kernel_w: 3,
  ...change,
});

/** t = a·M^b / clock, groups by kernel size, no gradient of its own. */
const power: AnalyticForm<{ readonly work: number; readonly clock: number }> = {
  name: 'power',
  description: 'a·M^b over the clock',
  parameters: [
    { name: 'a', unit: 'ms·GHz', lower: 1e-9, upper: Infinity, description: 'cost of one million' },
    { name: 'b', unit: '1', lower: 0, upper: 2, description: 'power of the work' },
  ],
  groupOf: (s) => `${kernelPoints(s)}`,
  variables: (s, device) => ({ work: macs(s) / 1e6, clock: device['clockGhz'] ?? 1 }),
  cost: (p, { work, clock }) => ((p[0] ?? NaN) * work ** (p[1] ?? NaN)) / clock,
  starts: () => [[1, 1]],
};
const shapes = [8, 12, 16, 24, 32, 48].flatMap((size) =>
  [1, 3].map((k) => spec({ height: size, width: size, kernel_h: k, kernel_w: k })),
);
const samples = timeSamples(
  shapes.map((s) => ({ spec: s, timeMs: (kernelPoints(s) * (macs(s) / 1e6) ** 0.7) / 2 })),
);

describe('analyticForm', () => {
  const form = analyticForm(power);
  const fit = form.fit(samples, context);

  it('fits any formula without a gradient, group by group, with device constants', () => {
    expect(fit.groups.map(({ group, n }) => [group, n])).toEqual([
      ['1', 6],
      ['9', 6],
    ]);
    const values = fit.groups.map(({ parameters }) => parameters.map(({ value }) => value));
    expect(values[0]?.[0]).toBeCloseTo(1, 6);
    expect(values[1]?.[0]).toBeCloseTo(9, 6);
    expect(values[1]?.[1]).toBeCloseTo(0.7, 6);
  });

  it('predicts an unseen kernel group by the largest fitted group', () => {
    const predict = form.compile(fit, context.device);
    const unseen = spec({ kernel_h: 5, kernel_w: 5 });
    const like = fit.groups.reduce((a, b) => (a.n >= b.n ? a : b)).group;
    expect(predict(unseen).value).toBeCloseTo((Number(like) * (macs(unseen) / 1e6) ** 0.7) / 2, 6);
  });

  it('starts from a near fit when the context has one', () => {
    let startCalls = 0;
    const counting = analyticForm({ ...power, starts: () => [[(startCalls += 1), 1]] });
    counting.fit(samples, { ...context, near: fit });
    expect(startCalls).toBe(0);
    counting.fit(samples, context);
    expect(startCalls).toBe(2);
  });
});

describe('registered forms', () => {
  it('have unique names and descriptions', () => {
    expect(new Set(FORMS.map(({ name }) => name)).size).toBe(FORMS.length);
    for (const form of FORMS) {
      expect(formNamed(form.name)).toBe(form);
      expect(form.description.length).toBeGreaterThan(20);
      for (const { unit, lower, upper, description } of form.parameters) {
        expect(unit).not.toBe('');
        expect(description).not.toBe('');
        expect(lower).toBeLessThan(upper);
      }
    }
  });

  it.each(FORMS.filter(({ needsSource }) => !needsSource).map((form) => [form.name, form] as const))(
    '%s predicts positive times everywhere',
    (_, form) => {
      const predict = form.compile(form.fit(samples, context), context.device);
      for (const extreme of [
        spec({ height: 1, width: 1, cin: 1, cout: 1 }),
        spec({ height: 1, width: 1, kernel_h: 31, kernel_w: 31 }),
        spec({ batch: 1024, height: 4096, width: 4096, cin: 4096, cout: 4096, kernel_h: 11, kernel_w: 11 }),
      ]) {
        expect(predict(extreme).value).toBeGreaterThan(0);
        expect(predict(extreme).value).toBeLessThan(Infinity);
      }
    },
  );

  it('alpha ends where no change of a parameter lowers the cost', () => {
    const timed = samples.map((sample, i) => ({
      ...sample,
      value: sample.value * (1 + 0.1 * Math.sin(i)),
    }));
    const parameters = alphaForm.fit(timed, context).groups[0]?.parameters.map(({ value }) => value) ?? [];
    const residual = (values: readonly number[]): number => {
      const group = { group: 'all', n: 1, correlation: [], stopped: 'converged' as const };
      const named = alphaForm.parameters.map(({ name, unit }, k) => ({
        name,
        unit: unitText(unit, 'ms'),
        value: values[k] ?? NaN,
        standardError: null,
        state: 'estimated' as const,
      }));
      const predict = alphaForm.compile({ groups: [{ ...group, parameters: named }] }, {});
      return timed
        .filter(({ spec: s }) => kernelPoints(s) === 1)
        .reduce((sum, s) => {
          const z = (Math.log(predict(s.spec).value / s.value) / 0.1) ** 2;
          return sum + Math.sqrt(1 + z) - 1;
        }, 0);
    };
    const least = residual(parameters);
    parameters.forEach((value, k) => {
      const { lower = 0, upper = 0 } = alphaForm.parameters[k] ?? {};
      for (const factor of [0.99, 1.01]) {
        const moved = parameters.with(k, Math.min(Math.max(value * factor, lower), upper));
        expect(residual(moved)).toBeGreaterThanOrEqual(least - 1e-9);
      }
    });
  });
});
