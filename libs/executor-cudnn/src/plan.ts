import type { Result } from '@alphaflops/contracts';
import { GpuError } from '@alphaflops/nvidia';
import type { Backend, Descriptor, Handle } from './backend.js';
import type { DevicePointer } from './cuda.js';
import { type Descriptors, int64s, references } from './descriptors.js';
import type { Proposal } from './heuristics.js';
import { TENSOR_IDS } from './operation-graph.js';

/** cudnnBackendAttributeName_t. */
const PLAN = { handle: 400, config: 401, workspaceBytes: 402, deviceProperties: 407 } as const;
const PACK = { ids: 1000, pointers: 1001, workspace: 1003 } as const;

/** Addresses of the tensors of a convolution and of its workspace in device memory. */
export interface ConvBuffers {
  readonly input: DevicePointer;
  readonly weights: DevicePointer;
  readonly output: DevicePointer;
  readonly workspace: DevicePointer;
  readonly workspaceBytes: number;
}

/** An engine configuration that is ready to run. */
export interface Plan {
  readonly proposal: Proposal;
  readonly plan: Descriptor;
  readonly workspaceBytes: number;
}

/** The device of plans: that of a handle, or one that is given by its properties. */
export type PlanTarget = { readonly handle: Handle } | { readonly deviceProperties: Descriptor };

export type BuildResult = Result<{ plan: Plan }, GpuError>;

/** The plan of a proposal, or why it has no plan. @throws GpuError when the installation is broken */
export function buildPlan(descriptors: Descriptors, proposal: Proposal, target: PlanTarget): BuildResult {
  try {
    const plan = descriptors.finalized('plan', [
      'handle' in target
        ? references(PLAN.handle, 'handle', target.handle)
        : references(PLAN.deviceProperties, 'descriptor', target.deviceProperties),
      references(PLAN.config, 'descriptor', proposal.config),
    ]);
    return { ok: true, plan: { proposal, plan, workspaceBytes: workspaceOf(descriptors.backend, plan) } };
  } catch (error) {
    if (error instanceof GpuError && error.isUnsupported) return { ok: false, reason: error };
    throw error;
  }
}

/** The pointers for the tensors of the graph. */
export function variantPack(descriptors: Descriptors, buffers: ConvBuffers): Descriptor {
  const names = ['input', 'weights', 'output'] as const;
  return descriptors.finalized('variantPack', [
    int64s(PACK.ids, ...names.map((name) => TENSOR_IDS[name])),
    references(PACK.pointers, 'pointer', ...names.map((name) => buffers[name])),
    references(PACK.workspace, 'pointer', buffers.workspace),
  ]);
}

function workspaceOf(backend: Backend, plan: Descriptor): number {
  const bytes = new BigInt64Array(1);
  backend.get(plan, PLAN.workspaceBytes, 'int64', bytes);
  return Number(bytes[0]);
}
