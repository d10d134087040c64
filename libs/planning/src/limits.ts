import { bytes, macs, passOf, type ConvSpec, type Dtype } from '@alphaflops/conv';
import type { CampaignRequest, DeviceClass, PlanConstraints } from '@alphaflops/contracts';

/** Why a candidate is not in a plan. */
export type ExclusionReason =
  'duplicate' | 'dtype' | 'groups' | 'pass' | 'max-macs' | 'memory' | 'time' | 'over-budget';

/** Candidates left out, by reason; a reason that did not occur is absent. */
export type Exclusions = Partial<Record<ExclusionReason, number>>;

/** Limits of the candidates. An absent limit has no effect. */
export interface Limits {
  /** Memory of the device. */
  readonly memoryBytes?: number;
  /** Longest expected time of one convolution; it needs `estimateMs`. */
  readonly maxSpecMs?: number;
  /** Expected time of one convolution in ms, for example from an earlier model of the device. */
  readonly estimateMs?: (spec: ConvSpec) => number;
  readonly constraints?: PlanConstraints;
}

/**
 * The limits of a campaign on a device class. A caller that checks `maxSpecMs` adds `estimateMs`.
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
 * Workspace that a measurement may need, as a multiple of the memory of input, weights and output. Libraries convert a
 * convolution to a matrix product in parts, or transform it. The measured libraries need less than this, except for some
 * transforms, which the library does not use when memory is short.
 */
export const WORKSPACE_SHARE = 1;

/**
 * Bytes that are reserved for measuring `spec`: its tensors and the workspace.
 *
 * @returns bytes of device memory
 */
export function requiredBytes(spec: ConvSpec): number {
  return bytes(spec).total * (1 + WORKSPACE_SHARE);
}

/** The element types of a plan: the requested ones, or else only f32. */
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
  // The negation makes an estimate of NaN count as too long.
  if (maxSpecMs !== undefined && estimateMs && !(estimateMs(spec) <= maxSpecMs)) return 'time';
  return null;
}
