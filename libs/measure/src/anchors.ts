import type { DeviceDescription, Protocol } from '@alphaflops/contracts';
import { CONV_SPEC_DEFAULTS, type ConvSpec } from '@alphaflops/conv';
import { median } from 'simple-statistics';
import { protocolNamed } from './protocols.js';

/** How a device is watched for drift. */
export interface AnchorSettings {
  /** Number of anchors that a worker measures when it starts; 0: it does not watch for drift. */
  readonly count: number;
  /** Number of these anchors that the worker measures again each time. */
  readonly rerun: number;
  /** The worker measures anchors again after this number of batches. */
  readonly everyBatches: number;
}

type Kind = DeviceDescription['kind'];

/** Host processors use fewer anchors: they are slower, and other programs make their times less exact. */
export const DEFAULT_ANCHORS: Readonly<Record<Kind, AnchorSettings>> = {
  gpu: { count: 64, rerun: 8, everyBatches: 200 },
  cpu: { count: 8, rerun: 8, everyBatches: 200 },
};

/** Largest median change of the anchors' times, as a share. Beyond it, a device counts as drifted. */
export const MAX_DRIFT: Readonly<Record<Kind, number>> = { gpu: 0.03, cpu: 0.1 };

export const MAX_ANCHORS = 64;

/** Height and width, input channels, output channels. As in networks, larger channel counts have smaller maps. */
const SIZES = [
  [56, 16],
  [28, 32],
  [14, 64],
  [7, 128],
  [56, 64],
  [28, 128],
  [14, 256],
  [7, 512],
] as const;
const KERNELS = [1, 3] as const;
const VARIANTS: readonly Partial<ConvSpec>[] = [{}, { stride: 2 }, { batch: 8 }, { batch: 32 }];

/**
 * The common anchors: the same on every device, the quickest first. Every executor supports them.
 *
 * @param count 0 to {@link MAX_ANCHORS}; a larger number gives all anchors
 */
export function anchorSpecs(count: number): ConvSpec[] {
  const all = VARIANTS.flatMap((variant) =>
    SIZES.flatMap(([size, channels]) =>
      KERNELS.map((kernel) => ({
        ...CONV_SPEC_DEFAULTS,
        ...{ height: size, width: size, cin: channels, cout: channels, kernel_h: kernel, kernel_w: kernel },
        ...variant,
      })),
    ),
  );
  return all.slice(0, count);
}

/**
 * The protocol that times anchors on a device of this kind.
 */
export function anchorProtocol(kind: Kind): Protocol {
  return protocolNamed(kind === 'gpu' ? 'gpu' : 'quick-cpu');
}

/**
 * Median change of the anchors' times as a share: 0.03 is 3 % slower, −0.03 is 3 % faster.
 *
 * @param ratios for each anchor, its time now divided by its time when the worker started; at least one
 * @throws Error when there is no ratio
 */
export function driftOf(ratios: readonly number[]): number {
  return median([...ratios]) - 1;
}

/**
 * Whether the median change is beyond {@link MAX_DRIFT} in either direction.
 *
 * @param ratios as for {@link driftOf}
 * @throws Error when there is no ratio
 */
export function hasDrifted(ratios: readonly number[], kind: Kind): boolean {
  return Math.abs(driftOf(ratios)) > MAX_DRIFT[kind];
}
