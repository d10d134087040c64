import type { Campaign } from '@alphaflops/contracts';
import { CONV_SPEC_DEFAULTS, type ConvSpec } from '@alphaflops/conv';
import { protocolNamed } from '@alphaflops/measure';
import { previewOf } from './preview.js';

const spec = (cin: number): ConvSpec => ({
  ...CONV_SPEC_DEFAULTS,
  height: 8,
  width: 8,
  cin,
  cout: 8,
  kernel_h: 3,
  kernel_w: 3,
});

function planned(count: number, replicates = 1, targets = 1) {
  const specs = Array.from({ length: count }, (_, at) => spec(at + 1));
  const campaign = {
    deviceClassId: 'd',
    protocol: protocolNamed('gpu'),
    plannedSpecs: count,
    plannedSlots: count * replicates * targets,
    targetIds: Array.from({ length: targets }, (_, at) => `t-${at}`),
    history: [],
    request: { replicates, repeats: 0 },
    excluded: { duplicate: 2 },
  } as unknown as Campaign;
  return { campaign, specs };
}

describe('previewOf', () => {
  it('estimates from the protocol only if no model gives times', () => {
    const preview = previewOf(planned(10), null);
    // 9 batches of 1.5 ms
    expect(preview.leastSeconds).toBeCloseTo((10 * 9 * 1.5) / 1000, 12);
    expect(preview).toMatchObject({ timesFrom: 'protocol', plannedSlots: 10, excluded: { duplicate: 2 } });
  });

  it('estimates warm-up and batches of every replicate from expected times, with parallel targets', () => {
    const preview = previewOf(planned(10, 2, 3), () => 100);
    expect(preview.leastSeconds).toBeCloseTo((10 * 2 * (3 + 9) * 100) / 1000, 12);
    expect(preview.timesFrom).toBe('model');
  });

  it('shows evenly spread specs of a large plan, and estimates the whole plan', () => {
    const preview = previewOf(planned(5000), null);
    expect(preview.specs).toHaveLength(1000);
    expect(preview.specs.map(({ cin }) => cin).slice(0, 3)).toEqual([1, 6, 11]);
    expect(preview.leastSeconds).toBeCloseTo((5000 * 9 * 1.5) / 1000, 9);
  });

  it('estimates the future rounds of a campaign that plans in rounds', () => {
    const { campaign, specs } = planned(10, 2);
    const request = {
      design: { name: 'adaptive', seed: 1, rounds: 4 },
      budget: { specs: 40 },
      replicates: 2,
      repeats: 0,
    };
    const inRounds = { ...campaign, request, rounds: { testSpecs: 4, ends: [10] } } as unknown as Campaign;
    const preview = previewOf({ campaign: inRounds, specs }, null);
    expect(preview).toMatchObject({ plannedSlots: 20, totalSlots: 80 });
    expect(preview.leastSeconds).toBeCloseTo((80 * 9 * 1.5) / 1000, 12);
  });
});
