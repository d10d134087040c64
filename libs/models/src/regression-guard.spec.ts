import type { Model } from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import { macs } from '@alphaflops/conv';
import { fitModel } from './fit-model.js';
import { randomShapes } from './random-shapes.spec-helper.js';
import { judgeCandidate } from './regression-guard.js';
import type { FitSample } from './sample.js';

const law = (spec: ConvSpec): number => 0.02 + macs(spec) / 1e8;
const samples = randomShapes(1400, law, 0.05, 1, [3]);
const some = samples.slice(0, 300);
const fit = (data: readonly FitSample[], form: string, seed = 1): Model => ({
  ...fitModel(data, {
    form,
    seed,
    origin: { digest: '', codeVersion: '0', createdAt: '2026-01-01T00:00:00Z' },
  }),
  id: `${form}-v1`,
});
const good = fit(some, 'alpha-latency');
const bad = fit(some, 'flops');

describe('the regression guard', () => {
  it('serves a model that is as good or better, and gives the reason', () => {
    expect(judgeCandidate(good, bad, some)).toEqual({
      serve: true,
      reason: expect.stringMatching(
        /^median error \d+\.\d % against \d+\.\d % of the served model flops-v1 on 300 shapes held out by both$/,
      ),
    });
    expect(judgeCandidate(good, good, some).serve).toBe(true);
  });

  it('does not serve a model that is worse', () => {
    expect(judgeCandidate(bad, good, some)).toEqual({
      serve: false,
      reason: expect.stringMatching(/^worse: median error/),
    });
  });

  it('does not call a model worse because of another seed', () => {
    const seeds = [1, 2, 3, 4].map((seed) => fit(some, 'alpha-latency', seed));
    for (const a of seeds) for (const b of seeds) expect(judgeCandidate(a, b, some).serve).toBe(true);
  });

  it('also compares shapes that the served model never saw, with its predictions by the whole model', () => {
    const grown = samples.slice(200, 700);
    const { serve, reason } = judgeCandidate(fit(grown, 'flops'), good, grown);
    expect([serve, reason]).toEqual([false, expect.stringContaining('on 500 shapes')]);
    // A served model with wrong times in the region of the new samples.
    const slow = samples.slice(300, 700).map(({ spec, timeMs }) => ({ spec, timeMs: 3 * timeMs }));
    const both = [...some.slice(0, 20), ...slow];
    expect(judgeCandidate(fit(both, 'alpha-latency'), good, both).serve).toBe(true);
  });

  it('leaves out shapes when the served model does not show whether it was fitted to them', () => {
    const wide = fit(samples, 'alpha-latency');
    expect(wide.heldOut?.shapes).toHaveLength(1000);
    const kept = new Set(wide.heldOut?.shapes?.map(([key]) => key));
    const ofSome = fit(some, 'flops').heldOut?.shapes ?? [];
    const known = ofSome.filter(([key]) => kept.has(key)).length;
    expect(known).toBeLessThan(300);
    const { serve, reason } = judgeCandidate(bad, wide, some);
    expect([serve, reason]).toEqual([false, expect.stringContaining(`on ${known} shapes`)]);
  });

  it('serves the candidate when no comparison is possible', () => {
    expect(judgeCandidate(bad, null, some).serve).toBe(true);
    const few = some.slice(0, 19);
    expect(judgeCandidate(fit(few, 'flops'), good, few)).toEqual({
      serve: true,
      reason: expect.stringMatching(/^19 shapes held out by both are too few/),
    });
    // A document from a version that did not store held-out predictions.
    const { heldOut, ...old } = good;
    expect(heldOut).toBeDefined();
    expect(judgeCandidate(bad, old, some).serve).toBe(true);
  });
});
