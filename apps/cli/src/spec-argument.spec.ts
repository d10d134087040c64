import { specKey } from '@alphaflops/conv';
import { spec } from './spec-argument.js';

describe('a convolution on the command line', () => {
  it('is the key of a spec, with or without the parts that have defaults', () => {
    const key = 'b2-h56-w28-i64-o128-k3x5-s2-g4-f16-valid-NHWC';
    expect(specKey(spec(key))).toBe(key);
    expect(specKey(spec('h56-w28-i64-o128-k3x5'))).toBe('b1-h56-w28-i64-o128-k3x5-s1-g1-f32-same-NCHW');
  });

  it('is a list of axes by the names of the CSV columns', () => {
    const text = 'height=56, width=28,cin=64,cout=128,kernel_h=3,kernel_w=5,dtype=bf16';
    expect(specKey(spec(text))).toBe('b1-h56-w28-i64-o128-k3x5-s1-g1-bf16-same-NCHW');
  });

  it.each([
    ['h56-w56-i64', 'Expected b1-h56'],
    ['h56-w56-i64-o128-k3x3-g5', 'groups (5) must divide cin (64)'],
    ['height=56,width=56,cin=64,cout=128,kernel_h=3', 'kernel_w'],
    ['height=-1,width=56,cin=64,cout=128,kernel_h=3,kernel_w=3', 'height'],
    ['height=56,width=56,cin=64,cout=128,kernel_h=3,kernel_w=3,kernel=3', 'kernel'],
    ['height=,width=56', 'Expected b1-h56'],
  ])('says what is wrong with %s', (text, reason) => {
    expect(() => spec(text)).toThrow(reason);
  });
});
