import { log, pow } from '@alphaflops/elementary';
import type { ConvSpec } from './conv-spec.js';
import { kernelPoints, macs, outputPoints } from './work.js';

/** β and γ of the paper for one kernel group. Both have no unit. */
export interface AlphaCoefficients {
  /** The cost of an additional point as a share of the cost of one point; 0 ≤ β ≤ 1. */
  readonly beta: number;
  /** γ ≥ 0. With γ = 0, α is 1 everywhere, which corresponds to plain FLOPs. */
  readonly gamma: number;
}

/**
 * Coefficients published by Asperti, Evangelista and Marzolla (2021, arXiv 2107.11949) for an NVIDIA Quadro T2000,
 * with the device's rate `msPerMillionMacs` (the authors count one multiply-add as one FLOP).
 */
export const PUBLISHED_ALPHA = {
  '1x1': { beta: 0.02, gamma: 0.99 },
  other: { beta: 0.001, gamma: 0.56 },
  msPerMillionMacs: 0.0375,
} as const;

/** The paper fits 1×1 kernels separately from all other kernels. */
export type KernelGroup = '1x1' | 'other';

/**
 * Returns the kernel group of a convolution. The paper fits 1×1 kernels separately (Asperti, Evangelista and Marzolla
 * 2021).
 */
export function kernelGroup(spec: ConvSpec): KernelGroup {
  return kernelPoints(spec) === 1 ? '1x1' : 'other';
}

/**
 * S_K, the number of output points at which α is 1: 1 + ln K, as in the authors' code.
 *
 * @param kernelPoints K, at least 1
 * @returns S_K, without a unit
 */
export function alphaReference(kernelPoints: number): number {
  return 1 + log(kernelPoints);
}

/**
 * α_K(S) = ((S_K + β·(S − S_K)) / S)^γ, the paper's correction of FLOPs, for S output points and K kernel points.
 *
 * With 0 ≤ β ≤ 1 and γ ≥ 0 it is 1 at S = S_K, never grows with S, and tends to β^γ. Below S_K (only tiny outputs:
 * S_K is 3.2 for a 3×3 kernel) the formula is used unchanged, as the authors do: α is then above 1, at most
 * S_K^γ at S = 1, because so few points cannot fill the device.
 *
 * @param outputPoints S of the forward pass, the batch included (`outputPoints`)
 * @param kernelPoints K (`kernelPoints`)
 * @returns α, without a unit: corrected over plain FLOPs
 * @throws RangeError when S or K is not ≥ 1, or when β is outside 0…1.
 */
export function alpha(
  outputPoints: number,
  kernelPoints: number,
  { beta, gamma }: AlphaCoefficients,
): number {
  if (!(outputPoints >= 1) || !(kernelPoints >= 1)) {
    throw new RangeError(
      `alpha requires at least one output point and one kernel point, not ${outputPoints} and ${kernelPoints}`,
    );
  }
  if (!(beta >= 0 && beta <= 1)) throw new RangeError(`alpha requires 0 ≤ β ≤ 1, not ${beta}`);
  const reference = alphaReference(kernelPoints);
  return pow((reference + beta * (outputPoints - reference)) / outputPoints, gamma);
}

/**
 * Time in ms by the published coefficients: c·α_K(S)·M, M in millions of multiply-adds.
 *
 * @throws RangeError when the convolution has no output
 */
export function publishedTimeMs(spec: ConvSpec): number {
  const correction = alpha(outputPoints(spec), kernelPoints(spec), PUBLISHED_ALPHA[kernelGroup(spec)]);
  return (PUBLISHED_ALPHA.msPerMillionMacs * correction * macs(spec)) / 1e6;
}
