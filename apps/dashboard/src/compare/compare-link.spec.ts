import { FIRST_LAYER } from '../layer-link.js';
import { type Compared, compareLinkOf, fromCompareLink } from './compare-link.js';

const compared: Compared = {
  classIds: ['h100-cudnn', 'a100-cudnn'],
  layers: [FIRST_LAYER, { ...FIRST_LAYER, dilation_h: 2, dilation_w: 2, layout: 'NHWC' }],
  exampleId: null,
  images: 1,
  quantity: 'alpha',
};

describe('the link of a comparison', () => {
  it.each([
    ['layers', compared],
    ['an example', { ...compared, layers: [], exampleId: 'u-net-dilated', images: 8, quantity: 'energy' }],
  ] as const)('keeps %s', (_, given) => {
    expect(fromCompareLink(compareLinkOf(given))).toEqual(given);
  });

  it('is empty where nothing is chosen, and leaves out what it does not know', () => {
    expect(fromCompareLink('')).toEqual({ ...compared, classIds: [], layers: [] });
    expect(fromCompareLink('a~qbananas~x')).toEqual({ ...compared, classIds: ['a'], layers: [] });
  });
});
