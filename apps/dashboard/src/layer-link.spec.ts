import { EXAMPLE, FIRST_LAYER, fromLink, linkOf } from './layer-link.js';

describe('a link to a prediction', () => {
  it('brings back what it was made of', () => {
    const requested = {
      classIds: ['tfjs-wasm-amd-epyc-3c80458f', 'nvidia_h100.v1'],
      layers: [
        ...EXAMPLE,
        { ...FIRST_LAYER, stride: 2, groups: 64, batch: 8, dtype: 'f16' as const },
        { ...FIRST_LAYER, padding: 'valid' as const, layout: 'NHWC' as const },
        { ...FIRST_LAYER, stride_h: 2, stride_w: 1, dilation_w: 3, pass: 'backward-data' as const },
        {
          ...FIRST_LAYER,
          padding: 'explicit' as const,
          pad_top: 0,
          pad_bottom: 1,
          pad_left: 12,
          pad_right: 2,
        },
      ],
      inferencesPerPass: 8,
      gridIntensityGramsPerKwh: 350.5,
    };
    expect(fromLink(linkOf(requested))).toEqual(requested);
  });

  it('leaves out what it does not understand', () => {
    const nothing = { layers: [], inferencesPerPass: 1, gridIntensityGramsPerKwh: null };
    expect(fromLink('')).toEqual({ classIds: [], ...nothing });
    expect(fromLink('a~1-2-3~56-56-64-0-3-3-1-1-1-f32~56-56-64-8-3-3-1-1-1-f64~n1.5~g-3~nan')).toEqual({
      classIds: ['a'],
      ...nothing,
    });
  });
});
