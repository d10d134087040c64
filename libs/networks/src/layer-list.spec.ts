import { macs } from '@alphaflops/conv';
import { readNetwork } from './index.js';

const conv = { op: 'convolution', dtype: 'f32', kind: 'conv', batch: 2 };
const LIST = {
  format: 'alphaflops.layers/1',
  name: 'Small',
  batch: 2,
  layers: [
    { ...conv, name: 'stem', input: [32, 32], cin: 3, cout: 16, kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
    { ...conv, name: 'dilated', input: [16, 16], cin: 16, cout: 16, kernel: [3, 3], dilations: [2, 2], pads: [2, 2, 2, 2] },
    { ...conv, name: 'up', input: [16, 16], cin: 16, cout: 8, kernel: [4, 4], strides: [2, 2], pads: [1, 1, 1, 1], transposed: true },
    { ...conv, name: 'row', input: [1, 64], cin: 8, cout: 4, kernel: [1, 5], pads: [0, 2, 0, 2] },
    { ...conv, name: 'double', dtype: 'torch.float64', input: [8, 8], cin: 8, cout: 4, kernel: [1, 1] },
    { name: 'fc', op: 'addmm', dtype: 'f16', kind: 'dense', rows: 2, cin: 64, cout: 10 },
  ],
  not_costed: [{ op: 'relu', count: 3, reason: null }],
}; // prettier-ignore
const file = (list: unknown) => new TextEncoder().encode(JSON.stringify(list));

describe('a list of layers, as the export script of PyTorch writes it', () => {
  const network = readNetwork(file(LIST));

  it('is costed like the same layers of any other file', () => {
    expect(network).toMatchObject({ format: 'layer-list', name: 'Small', batch: 2 });
    expect(network.layers.map(({ name, spec, note }) => [name, macs(spec), note])).toEqual([
      ['stem', 2 * 16 * 16 * 9 * 3 * 16, null],
      ['dilated', 2 * 16 * 16 * 9 * 16 * 16, null],
      ['up', 2 * 16 * 16 * 16 * 16 * 8, expect.stringMatching(/transposed/)],
      ['row', 2 * 64 * 5 * 8 * 4, null],
      ['fc', 2 * 64 * 10, expect.stringMatching(/2 rows: costed as one image/)],
    ]);
    expect(network.layers.at(-1)?.spec.dtype).toBe('f16');
  });

  it('reports operators without a cost', () => {
    expect(network.notCosted).toEqual([
      {
        op: 'convolution',
        count: 1,
        reason: 'type torch.float64 is not measured',
        macs: 2 * 64 * 8 * 4,
      },
      { op: 'relu', count: 3, reason: null, macs: null },
    ]);
    expect(network.completeness).toMatchObject({ isComplete: false, layersFound: 6, layersCosted: 5 });
  });

  it('has fixed sizes and refuses other sizes', () => {
    expect(() => readNetwork(file(LIST), { batch: 4 })).toThrow(/Export the list again/);
  });
});
