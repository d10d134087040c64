import { CONV_SPEC_DEFAULTS, outputSize, macs, type ConvSpec } from '@alphaflops/conv';

export const CONV_3X3: ConvSpec = {
  ...CONV_SPEC_DEFAULTS,
  height: 9,
  width: 12,
  cin: 6,
  cout: 10,
  kernel_h: 3,
  kernel_w: 3,
};

/** The law of fake-gpu.c: milliseconds of one convolution by algorithm 1. */
export function lawMs(spec: ConvSpec): number {
  const { height, width } = outputSize(spec);
  expect(height * width).toBeGreaterThan(0);
  return (2 + macs(spec) / 1e5) / 1e3;
}
