import { ConvSpecSchema } from '@alphaflops/contracts';
import { macs, specKey } from '@alphaflops/conv';
import { anchorProtocol, anchorSpecs, DEFAULT_ANCHORS, driftOf, hasDrifted, MAX_ANCHORS } from './anchors.js';

describe('anchors', () => {
  it('are 64 different convolutions; a smaller count gives the first of them', () => {
    const all = anchorSpecs(MAX_ANCHORS).map((spec) => specKey(ConvSpecSchema.parse(spec)));
    expect(new Set(all).size).toBe(64);
    expect(anchorSpecs(8).map(specKey)).toEqual(all.slice(0, 8));
    expect(anchorSpecs(0)).toEqual([]);
  });

  it('take less than 10 ms in total on a host processor with 10 GFLOP/s', () => {
    const work = anchorSpecs(DEFAULT_ANCHORS.cpu.count).reduce((sum, spec) => sum + 2 * macs(spec), 0);
    expect(work / 1e10).toBeLessThan(0.01);
    expect(anchorProtocol('cpu').name).toBe('quick-cpu');
  });

  it.each([
    [[1.02, 1.029, 1.5], 'gpu', false],
    [[1.02, 1.031, 1.5], 'gpu', true],
    [[0.5, 0.968, 1], 'gpu', true],
    [[0.5, 0.968, 1], 'cpu', false],
    [[1.09, 1.12], 'cpu', true],
  ] as const)('%j on a %s: drifted %s', (ratios, kind, drifted) => {
    expect(hasDrifted(ratios, kind)).toBe(drifted);
  });

  it('drift by the median change', () => {
    expect(driftOf([1.1, 1, 2])).toBeCloseTo(0.1, 12);
  });
});
