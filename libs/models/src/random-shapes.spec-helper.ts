import { CONV_SPEC_DEFAULTS, type ConvSpec } from '@alphaflops/conv';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { FitSample } from './sample.js';

/** Random shapes that use the given square kernels one after another, timed by a law with log-normal noise. */
export function randomShapes(
  count: number,
  law: (spec: ConvSpec) => number,
  noise: number,
  seed: number,
  kernels: readonly number[],
): FitSample[] {
  const generator = xoroshiro128plus(seed);
  const uniform = (): number => uniformFloat64(generator);
  const logUniform = (low: number, high: number): number => Math.round(low * (high / low) ** uniform());
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return Array.from({ length: count }, (_, i) => {
    const kernel = kernels[i % kernels.length] ?? 1;
    const size = logUniform(1, 300);
    const spec: ConvSpec = {
      ...CONV_SPEC_DEFAULTS,
      height: size,
      width: size,
      cin: logUniform(8, 1024),
      cout: logUniform(8, 1024),
      kernel_h: kernel,
      kernel_w: kernel,
    };
    return { spec, timeMs: law(spec) * Math.exp(noise * normal()) };
  });
}
