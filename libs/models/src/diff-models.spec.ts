import type { ConvSpec } from '@alphaflops/conv';
import { macs } from '@alphaflops/conv';
import { diffModels } from './diff-models.js';
import { fitModel, type FitOptions } from './fit-model.js';
import { randomShapes } from './random-shapes.spec-helper.js';

const law = (spec: ConvSpec): number => 0.02 + macs(spec) / 1e8;
const fit = (seed: number, noise: number, digest: string, options: Partial<FitOptions> = {}) =>
  fitModel(randomShapes(80, law, noise, seed, [3]), {
    form: 'alpha-latency',
    origin: { digest, codeVersion: '0', createdAt: '2026-01-01T00:00:00Z' },
    ...options,
  });
const before = fit(1, 0.05, 'sha256:1');

describe('the difference of two models', () => {
  it('is nothing for the same model', () => {
    const nothing = { origin: [], parameters: [], errors: [], interval: [], domain: [] };
    expect(diffModels(before, structuredClone(before))).toEqual({
      ...nothing,
      notes: { added: [], removed: [] },
    });
  });

  it('names what changed, with both values', () => {
    const after = fit(2, 0.3, 'sha256:2', { seed: 9 });
    const diff = diffModels(before, after);
    expect(diff.origin).toEqual([
      { what: 'data digest', before: 'sha256:1', after: 'sha256:2' },
      { what: 'seed', before: '1', after: '9' },
    ]);
    const launch = diff.parameters.find(({ what }) => what === 'alpha-latency other t0');
    expect(launch?.unit).toBe('ms');
    expect(launch?.before).toBeCloseTo(0.02, 2);
    const error = diff.errors.find(({ what }) => what === 'alpha-latency medianApe');
    expect(error?.after).toBeGreaterThan(2 * (error?.before ?? NaN));
    expect(diff.interval.map(({ what }) => what)).toEqual(['half-width']);
    expect(diff.domain.map(({ what }) => what)).toContain('macs max');
  });

  it('shows forms that only one of them has', () => {
    const flops = fit(1, 0.05, 'sha256:1', { form: 'flops' });
    // A document of an earlier version has fewer forms.
    const forms = flops.forms.filter(({ form }) => form !== 'alpha-latency');
    const { parameters, origin } = diffModels(before, { ...flops, forms });
    expect(origin).toEqual([{ what: 'chosen form', before: 'alpha-latency', after: 'flops' }]);
    expect(parameters.find(({ what }) => what === 'alpha-latency other c')?.after).toBeNull();
  });
});
