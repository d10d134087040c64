import { CONV_SPEC_DEFAULTS, bytes, macs, type ConvSpec } from '@alphaflops/conv';
import { compileModel, fitModel } from '@alphaflops/models';
import { plan, requiredBytes } from './index.js';

/** 50 µs, and 1 ms for 10⁹ multiply-adds. */
const timeMs = (spec: ConvSpec) => 0.05 + macs(spec) / 1e9;

describe('the time cap, judged by a fitted model', () => {
  const samples = plan({ name: 'networklike', seed: 4 }, { specs: 200 }).specs.map((spec) => ({
    spec,
    timeMs: timeMs(spec),
  }));
  const origin = { digest: 'none', codeVersion: '0', createdAt: '2026-01-01T00:00:00.000Z' };
  const predict = compileModel(fitModel(samples, { form: 'alpha-latency', origin }));
  const maxSpecMs = 2;
  const { specs, excluded } = plan(
    { name: 'networklike', seed: 5 },
    { specs: 300, maxSpecMs, estimateMs: (spec) => predict(spec).predictedMs },
  );

  it('leaves out specs that take longer, and counts them', () => {
    expect(specs).toHaveLength(300);
    expect(Math.max(...specs.map(timeMs))).toBeLessThan(1.05 * maxSpecMs);
    expect(excluded.time).toBeGreaterThan(20);
  });

  it('leaves nothing else out', () => {
    const all = plan({ name: 'networklike', seed: 5 }, { specs: 300 + (excluded.time ?? 0) }).specs;
    const within = all.filter((spec) => timeMs(spec) < 0.95 * maxSpecMs).map((spec) => JSON.stringify(spec));
    const planned = new Set(specs.map((spec) => JSON.stringify(spec)));
    expect(within.filter((spec) => !planned.has(spec))).toEqual([]);
  });
});

describe('the memory cap', () => {
  it('counts the tensors twice, and is exact at the limit', () => {
    const spec: ConvSpec = {
      ...CONV_SPEC_DEFAULTS,
      height: 9,
      width: 9,
      cin: 3,
      cout: 5,
      kernel_h: 3,
      kernel_w: 3,
    };
    const needed = requiredBytes(spec);
    expect(needed).toBe(2 * bytes(spec).total);
    const choice = { name: 'csv', specs: [spec] } as const;
    expect(plan(choice, { specs: 1, memoryBytes: needed }).specs).toEqual([spec]);
    expect(() => plan(choice, { specs: 1, memoryBytes: needed - 1 })).toThrow('left out 1 memory');
  });
});
