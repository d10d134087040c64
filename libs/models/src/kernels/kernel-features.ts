import { log } from '@alphaflops/elementary';
import { F, FEATURES } from '../boosting/features.js';
import type { KernelName } from './kernel-name.js';
import type { Tiling, WaveCounts } from './wave-formula.js';

/** Knobs that are features of the trees, by their numbers in cuDNN's `cudnnBackendKnobType_t`: tile, cluster, stages, block sizes and others. */
const KNOBS = [2, 3, 5, 6, 13, 14, 18, 22, 25, 27, 28] as const;

/** Features of the shape, without an analytic time. */
const SHAPE_FEATURES = FEATURES.slice(0, F - 1);

/**
 * The features of the trees of `kernel-boosted`: the shape, then the kernel. Models store them by name: the meaning of a name
 * never changes.
 */
export const KERNEL_FEATURES: readonly string[] = [
  ...SHAPE_FEATURES,
  'log t alpha-axes',
  'log t kernel',
  'log t alpha-axes / t kernel',
  'engine',
  'log kernel tiles',
  'kernel fill',
  'kernel waves',
  'log kernel steps',
  'kernel parts',
  ...KNOBS.map((knob) => `knob ${knob}`),
];
/** Index of the first feature of the kernel. */
export const KERNEL_BEGIN = SHAPE_FEATURES.length;
export const KERNEL_F = KERNEL_FEATURES.length;

/** Writes the features of the kernel after those of the shape. */
export function fillKernelFeatures(
  out: Float64Array,
  kernel: KernelName | undefined,
  { perProcessor }: Tiling,
  { tiles, waves, steps }: WaveCounts,
  processors: number,
  logCosts: { readonly axes: number; readonly kernel: number },
): void {
  let at = KERNEL_BEGIN;
  out[at++] = logCosts.axes;
  out[at++] = logCosts.kernel;
  out[at++] = logCosts.axes - logCosts.kernel;
  out[at++] = kernel?.engineNumber ?? -1;
  out[at++] = log(tiles);
  out[at++] = tiles / (processors * perProcessor * waves);
  out[at++] = waves;
  out[at++] = log(steps);
  out[at++] = kernel?.parts ?? 1;
  for (const knob of KNOBS) out[at++] = kernel?.knobs.get(knob) ?? -1;
}
