import { availableParallelism } from 'node:os';
import {
  CONV_SPEC_DEFAULTS,
  dilationH,
  dilationW,
  macs,
  passOf,
  strideH,
  strideW,
  type ConvSpec,
  type Pass,
} from '@alphaflops/conv';

export const CONV_3X3: ConvSpec = {
  ...CONV_SPEC_DEFAULTS,
  height: 28,
  width: 28,
  cin: 16,
  cout: 16,
  kernel_h: 3,
  kernel_w: 3,
};

/** Largest number of multiply-adds of a core per second: two vectors of 16 f32 in each of 6·10⁹ clocks. */
const CORE_MACS_PER_SECOND = 2 * 16 * 6e9;

/** A time in milliseconds that is too short for any host processor and any program. */
export const floorMs = (spec: ConvSpec): number =>
  (1000 * macs(spec)) / (availableParallelism() * CORE_MACS_PER_SECOND);

/** Specs that neither backend supports. */
export const UNSUPPORTED = [
  { spec: { ...CONV_3X3, dtype: 'f16' as const }, reason: /f32 only, not in f16/ },
  { spec: { ...CONV_3X3, dtype: 'bf16' as const }, reason: /f32 only, not in bf16/ },
];

/** 4 TiB of input. */
export const HUGE: ConvSpec = { ...CONV_3X3, height: 1_048_576, width: 1_048_576, cin: 1 };

/** Specs for a backend with kernels for these passes, dense and depthwise. */
export function computedBy(dense: readonly Pass[], depthwise: readonly Pass[]): (spec: ConvSpec) => boolean {
  return (spec) => {
    const isDepthwise = spec.groups === spec.cin;
    const isDilated = Math.max(dilationH(spec), dilationW(spec)) > 1;
    if (spec.groups !== 1 && !isDepthwise) return false;
    if (isDilated && Math.max(strideH(spec), strideW(spec)) > 1) return false;
    if (isDilated && !isDepthwise && passOf(spec) !== 'forward') return false;
    return (isDepthwise ? depthwise : dense).includes(passOf(spec));
  };
}
