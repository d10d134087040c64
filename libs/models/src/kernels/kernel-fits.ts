import { memberFolds, sharedFits, type Fold } from '../axes/shared-fits.js';
import type { Frame } from '../axes/frame.js';
import type { FitContext } from '../form.js';
import type { CostSample } from '../sample.js';
import { fitWaves, waveLogTimes, type WaveFits } from './fit-waves.js';
import { kernelRows, type KernelRows } from './kernel-rows.js';

export interface KernelFold extends Fold {
  readonly waves: WaveFits;
}

/** The fits that both forms with kernels use. */
export interface KernelFits {
  readonly frame: Frame;
  readonly rows: KernelRows;
  readonly whole: WaveFits;
  readonly folds: readonly KernelFold[];
  /** Logarithm of the time of each sample in milliseconds, by the formulas that were fitted without its shape. */
  readonly heldOut: Float64Array;
}

const cache = new WeakMap<
  readonly CostSample[],
  { readonly context: FitContext; readonly fits: KernelFits }
>();

/** Computed once for the same samples and context, because both forms need them. */
export function kernelFits(samples: readonly CostSample[], context: FitContext): KernelFits {
  const known = cache.get(samples);
  if (known?.context === context) return known.fits;
  const { frame } = sharedFits(samples, context);
  const rows = kernelRows(
    samples,
    samples.map(({ kernel }) => kernel ?? ''),
    frame.processors,
  );
  const whole = fitWaves(rows, Int32Array.from(samples.keys()));
  const heldOut = new Float64Array(samples.length);
  const folds = memberFolds(samples, context.seed).map((fold): KernelFold => {
    // a tiling is a property of the kernel, so it is searched once
    const waves = fitWaves(rows, fold.training, whole);
    waveLogTimes(rows, waves, fold.heldOut).forEach((logCost, k) => {
      heldOut[fold.heldOut[k] ?? 0] = logCost;
    });
    return { ...fold, waves };
  });
  const fits = { frame, rows, whole, folds, heldOut };
  cache.set(samples, { context, fits });
  return fits;
}
