import { kernelNameOf } from './kernel-name.js';

describe('the name of a kernel', () => {
  it('is an engine and its knobs', () => {
    expect(kernelNameOf('eng46_k2=4_k5=2_k14=3')).toEqual({
      kernel: 'eng46_k2=4_k5=2_k14=3',
      engine: 'eng46',
      engineNumber: 46,
      parts: 1,
      knobs: new Map([
        [2, 4],
        [5, 2],
        [14, 3],
      ]),
    });
  });

  it('is the same kernel for every split of its accumulation', () => {
    const [a, b] = ['eng41_k2=8_k12=10_k17=160_k18=0', 'eng41_k2=8_k12=4_k17=64_k18=0'].map(kernelNameOf);
    expect(a?.kernel).toBe('eng41_k2=8_k18=0');
    expect(b?.kernel).toBe(a?.kernel);
    expect([a?.parts, b?.parts]).toEqual([10, 4]);
  });

  it.each(['torch_depthwise', 'eng0', 'my program', ''])('may be any text: "%s"', (text) => {
    const { kernel, engine, parts, knobs } = kernelNameOf(text);
    expect([kernel, engine, parts, knobs.size]).toEqual([text, text, 1, 0]);
  });
});
