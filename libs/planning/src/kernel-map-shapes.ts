import type { ConvSpec } from '@alphaflops/conv';
import { plan } from './plan.js';

/** Parts of a map, by the most common requests for kernels. */
const PARTS = [
  { name: 'networklike', dtypes: ['f32'], share: 0.4 },
  { name: 'random', dtypes: ['f32'], share: 0.3 },
  { name: 'networklike', dtypes: ['f16'], share: 0.2 },
  { name: 'random', dtypes: ['f16'], share: 0.1 },
] as const;
const SEED = 20;

/**
 * The shapes that a kernel map labels: network-like and random ones. The same count gives the same shapes on every
 * machine, so that labels are sent without their shapes.
 *
 * @param count at least 1
 * @returns `count` different specs, fewer only where the designs have no more
 * @throws PlanError as `plan`
 */
export function kernelMapShapes(count: number): readonly ConvSpec[] {
  const specs: ConvSpec[] = [];
  PARTS.forEach(({ name, dtypes, share }, at) => {
    const isLast = at === PARTS.length - 1;
    const specCount = isLast ? count - specs.length : Math.round(share * count);
    if (specCount < 1) return;
    specs.push(
      ...plan({ name, seed: SEED + at }, { specs: specCount, constraints: { dtypes: [...dtypes] } }).specs,
    );
  });
  return specs;
}
