import type { EnergySource } from '@alphaflops/measure';
import { Library, Nvml } from '@alphaflops/nvidia';
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

/** The energy of a GPU from its driver, as in the worker's meters. */
export function nvmlSource(libraryPath: readonly string[], uuid: string): EnergySource {
  const nvml = new Nvml(Library.find('libnvidia-ml.so.1', libraryPath));
  const device = nvml.deviceWithUuid(uuid);
  if (device === null) throw new Error(`NVML knows no GPU ${uuid}`);
  return {
    name: 'nvml-total-energy',
    read: () => ({ energyMillijoules: nvml.totalEnergyMillijoules(device), powerW: nvml.powerNowW(device) }),
    otherProcessorMs: () => null,
  };
}
