import { bytes, macs, passOf, type ConvSpec, type Dtype } from '@alphaflops/conv';
import type { CampaignRequest, DeviceClass, PlanConstraints } from '@alphaflops/contracts';

/** Why a candidate is not in a plan. */
export type ExclusionReason =
  'duplicate' | 'dtype' | 'groups' | 'pass' | 'max-macs' | 'memory' | 'time' | 'over-budget';

/** Candidates left out, by reason; a reason that did not occur is absent. */
export type Exclusions = Partial<Record<ExclusionReason, number>>;

/** What a candidate has to respect. An absent limit does not limit. */
export interface Limits {
  /** Memory of the device. */
  readonly memoryBytes?: number;
  /** Longest expected time of one convolution; needs `estimateMs`. */
  readonly maxSpecMs?: number;
  /** Expected time of one convolution in ms, for example by an earlier model of the device. */
  readonly estimateMs?: (spec: ConvSpec) => number;
  readonly constraints?: PlanConstraints;
}

/**
 * What a campaign on a device class may plan. Whoever judges `maxSpecMs` adds `estimateMs`.
 *
 * @returns `specs` is the budget of the whole campaign
 */
export function limitsOf(
  { budget, constraints }: Pick<CampaignRequest, 'budget' | 'constraints'>,
  deviceClass: Pick<DeviceClass, 'memoryBytes'> | null,
): Omit<Limits, 'estimateMs'> & { readonly specs: number } {
  const memoryBytes = deviceClass?.memoryBytes ?? null;
  return {
    specs: budget.specs,
    ...(constraints && { constraints }),
    ...(memoryBytes !== null && { memoryBytes }),
    ...(budget.maxSpecMs !== undefined && { maxSpecMs: budget.maxSpecMs }),
  };
}

/**
 * Memory that a measurement may need: input, weights and output, and as much again as workspace. Libraries lower a
 * convolution to a matrix product piece by piece or transform it; the ones measured here stay below that, save for
 * some transforms, which the library leaves out itself when memory is short.
 */
export const WORKSPACE_SHARE = 1;

/**
 * Bytes that are set aside for measuring `spec`: its tensors and the workspace allowance.
 *
 * @returns bytes of device memory
 */
export function requiredBytes(spec: ConvSpec): number {
  return bytes(spec).total * (1 + WORKSPACE_SHARE);
}

/** The element types a plan is made of: those asked for, else f32 alone. */
export function plannedDtypes(constraints: PlanConstraints | undefined): readonly [Dtype, ...Dtype[]] {
  const [first = 'f32', ...rest] = constraints?.dtypes ?? [];
  return [first, ...rest];
}

/**
 * The first limit that `spec` breaks, or null.
 *
 * @returns the name of the limit, in the order: element type, groups, pass, multiply-adds, memory, time
 */
export function brokenLimit(
  spec: ConvSpec,
  { memoryBytes, maxSpecMs, estimateMs, constraints = {} }: Limits,
): ExclusionReason | null {
  const { dtypes, allowGroups, maxMacs, passes } = constraints;
  if (dtypes && !dtypes.includes(spec.dtype)) return 'dtype';
  if (allowGroups === false && spec.groups > 1) return 'groups';
  if (passes && !passes.includes(passOf(spec))) return 'pass';
  if (maxMacs !== undefined && macs(spec) > maxMacs) return 'max-macs';
  if (memoryBytes !== undefined && requiredBytes(spec) > memoryBytes) return 'memory';
  // Written so that an estimate that is not a number counts as too long.
  if (maxSpecMs !== undefined && estimateMs && !(estimateMs(spec) <= maxSpecMs)) return 'time';
  return null;
}
