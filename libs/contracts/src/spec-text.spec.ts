import { specKey } from '@alphaflops/conv';
import { specOfText } from './spec-text.js';

describe('a convolution as text', () => {
  it('is the key of a spec, with or without the parts that have defaults', () => {
    const key = 'b2-h56-w28-i64-o128-k3x5-s2-g4-f16-valid-NHWC';
    expect(specKey(specOfText(key))).toBe(key);
    expect(specKey(specOfText('h56-w28-i64-o128-k3x5'))).toBe('b1-h56-w28-i64-o128-k3x5-s1-g1-f32-same-NCHW');
  });

  it('has strides, dilations and pads by axis, and a pass', () => {
    const key = 'b1-h56-w56-i64-o128-k3x3-s2x1-d2x3-g1-f32-p1x1x2x2-NCHW-backward-data';
    expect(specKey(specOfText(key))).toBe(key);
    expect(specKey(specOfText('h56-w56-i64-o128-k3x3-d2-p4-backward-weights'))).toBe(
      'b1-h56-w56-i64-o128-k3x3-s1-d2x2-g1-f32-p4x4x4x4-NCHW-backward-weights',
    );
    const named = 'height=56,width=56,cin=64,cout=128,kernel_h=3,kernel_w=3,dilation_w=2,pass=backward-data';
    expect(specKey(specOfText(named))).toBe(
      'b1-h56-w56-i64-o128-k3x3-s1-d1x2-g1-f32-same-NCHW-backward-data',
    );
    expect(() => specOfText('h5-w5-i1-o1-k3x3-d4-p1')).toThrow(
      'a 9×9 kernel with its padding does not fit a 5×5 input',
    );
  });

  it('is a list of axes by the names of the CSV columns', () => {
    const text = 'height=56, width=28,cin=64,cout=128,kernel_h=3,kernel_w=5,dtype=bf16';
    expect(specKey(specOfText(text))).toBe('b1-h56-w28-i64-o128-k3x5-s1-g1-bf16-same-NCHW');
  });

  it.each([
    ['h56-w56-i64', 'Expected b1-h56'],
    ['h56-w56-i64-o128-k3x3-g5', 'groups (5) must divide cin (64)'],
    ['height=56,width=56,cin=64,cout=128,kernel_h=3', 'kernel_w'],
    ['height=-1,width=56,cin=64,cout=128,kernel_h=3,kernel_w=3', 'height'],
    ['height=56,width=56,cin=64,cout=128,kernel_h=3,kernel_w=3,kernel=3', 'kernel'],
    ['height=,width=56', 'Expected b1-h56'],
  ])('says what is wrong with %s', (text, reason) => {
    expect(() => specOfText(text)).toThrow(reason);
  });
});
