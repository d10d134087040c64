import { CONV_SPEC_DEFAULTS, macs, type ConvSpec } from '@alphaflops/conv';
import { axisResponse } from './axis-response.js';
import { fitModel } from './fit-model.js';
import { randomShapes } from './random-shapes.spec-helper.js';

const spec: ConvSpec = {
  ...CONV_SPEC_DEFAULTS,
  height: 20,
  width: 20,
  cin: 64,
  cout: 64,
  kernel_h: 3,
  kernel_w: 3,
};
/** A serial device with a launch cost. */
const law = (of: ConvSpec): number => 0.01 + macs(of) / 1e9;
const model = fitModel(randomShapes(300, law, 0.02, 4, [1, 3, 5]), {
  form: 'alpha-axes',
  device: { smCount: 1 },
  origin: { digest: '', codeVersion: '0', createdAt: '2026-01-01T00:00:00Z' },
});

describe('α along an axis', () => {
  it('is 1 at the first point and falls as more work shares the launch cost', () => {
    const points = axisResponse(model, spec, 'size');
    expect(points[0]).toMatchObject({ value: 1, alpha: 1 });
    expect(points.at(-1)?.value).toBeGreaterThan(250);
    const [small, large] = axisResponse(model, spec, 'size', [5, 40]);
    expect(large?.linearMs).toBeCloseTo(64 * (small?.timeMs ?? NaN), 9);
    const sized = (size: number): number => law({ ...spec, height: size, width: size });
    const want = sized(40) / (64 * sized(5));
    expect((large?.alpha ?? NaN) / want).toBeGreaterThan(0.75);
    expect((large?.alpha ?? NaN) / want).toBeLessThan(1.3);
  });

  it('has only values that fit the shape', () => {
    expect(axisResponse(model, spec, 'groups', [1, 3, 4]).map(({ value }) => value)).toEqual([1, 4]);
    const valid = { ...spec, padding: 'valid' as const };
    expect(axisResponse(model, valid, 'kernel', [1, 5, 21]).map(({ value }) => value)).toEqual([1, 5]);
    expect(() => axisResponse(model, { ...spec, cin: 63 }, 'groups', [2])).toThrow(/no value fits/);
  });
});
