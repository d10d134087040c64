import { EXAMPLE, FIRST_LAYER, fromLink, linkOf } from './layer-link.js';

describe('a link to a prediction', () => {
  it('brings back what it was made of', () => {
    const layers = [...EXAMPLE, { ...FIRST_LAYER, stride: 2, groups: 64, batch: 8, dtype: 'f16' as const }];
    const ids = ['tfjs-wasm-amd-epyc-3c80458f', 'nvidia_h100.v1'];
    expect(fromLink(linkOf(ids, layers))).toEqual({ classIds: ids, layers });
  });

  it('leaves out what it does not understand', () => {
    expect(fromLink('')).toEqual({ classIds: [], layers: [] });
    expect(fromLink('a~1-2-3~56-56-64-0-3-3-1-1-1-f32~56-56-64-8-3-3-1-1-1-f64')).toEqual({
      classIds: ['a'],
      layers: [],
    });
  });
});
