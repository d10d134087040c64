import type { PrepareResult } from '@alphaflops/executor';
import { GpuError } from '@alphaflops/nvidia';
import type { Descriptor } from './backend.js';
import type { Descriptors } from './descriptors.js';
import type { Device } from './device.js';
import type { DeviceMemory } from './device-memory.js';
import { isAllowed, type MathRules, proposals, type Proposal } from './heuristics.js';
import { convolutionGraph, type ConvProblem } from './operation-graph.js';
import { buildPlan, type ConvBuffers, type Plan, type PlanTarget, variantPack } from './plan.js';

/** How a plan is chosen: the first working proposal of the heuristics, or the fastest of the first few. */
export type EngineChoice = 'heuristic' | 'find';

/** Largest number of plans that `find` times. */
const MAX_TIMED = 8;
const TIMED_RUNS = 3;
/** Larger than the number of cuDNN's engines for any convolution. */
const MAX_PROPOSALS = 100;

/** A working plan, with the addresses of its tensors. */
export interface ReadyPlan extends Plan {
  readonly pack: Descriptor;
  readonly buffers: ConvBuffers;
  /** Time from the first query of the heuristics until the plan is ready, without running it. */
  readonly buildMs: number;
}

export type ChosenPlan =
  { readonly ok: true; readonly ready: ReadyPlan } | Extract<PrepareResult, { ok: false }>;

type Tensors = Omit<ConvBuffers, 'workspace' | 'workspaceBytes'>;

/**
 * Plans for a problem that the rules allow and that finalise, by rank: of mode INSTANT, then of FALLBACK. It first requests
 * only one proposal, because the description of many takes longer and is seldom needed.
 *
 * @param onRefused called with the reason why a plan could not be built
 * @throws GpuError when the installation is broken
 */
export function* candidatePlans(
  descriptors: Descriptors,
  problem: ConvProblem,
  rules: MathRules,
  target: PlanTarget,
  onRefused: (why: GpuError) => void = () => undefined,
): Generator<Plan> {
  const handle = 'handle' in target ? target.handle : null;
  const properties = 'deviceProperties' in target ? target.deviceProperties : null;
  const graph = convolutionGraph(descriptors, problem, handle);
  const ranked = (mode: 'instant' | 'fallback', most: number): Proposal[] =>
    proposals(descriptors, graph, mode, most, properties);
  const seen = new Set<string>();
  const lists = [
    () => ranked('instant', 1),
    () => ranked('instant', MAX_PROPOSALS),
    () => ranked('fallback', MAX_PROPOSALS),
  ];
  for (const list of lists) {
    for (const proposal of list()) {
      if (seen.has(proposal.name) || !isAllowed(proposal, problem.dtype, rules)) continue;
      seen.add(proposal.name);
      const built = buildPlan(descriptors, proposal, target);
      if (built.ok) yield built.plan;
      else onRefused(built.reason);
    }
  }
}

/**
 * A plan by the given choice that has memory for its workspace and runs. The output then has its result.
 *
 * @throws GpuError when the installation is broken or the device does not work
 */
export function choosePlan(
  device: Device,
  memory: DeviceMemory,
  descriptors: Descriptors,
  problem: ConvProblem,
  tensors: Tensors,
  { tf32, choice }: MathRules & { readonly choice: EngineChoice },
): ChosenPlan {
  const { cuda, backend, handle, stream } = device;
  let refusal: GpuError | null = null;
  let outOfMemory: GpuError | null = null;
  const note = (why: GpuError): void => {
    if (why.isOutOfMemory) outOfMemory = why;
    else refusal = why;
  };
  const plans = candidatePlans(descriptors, problem, { tf32 }, { handle }, note);
  const working: ReadyPlan[] = [];
  const wanted = choice === 'find' ? MAX_TIMED : 1;
  let beganMs = performance.now();
  for (let next = plans.next(); next.done !== true; next = plans.next()) {
    const buildMs = performance.now() - beganMs;
    try {
      const { workspaceBytes } = next.value;
      const workspace = workspaceBytes === 0 ? 0n : memory.take('workspace', workspaceBytes).pointer;
      const buffers = { ...tensors, workspace, workspaceBytes };
      const pack = variantPack(descriptors, buffers);
      backend.execute(handle, next.value.plan, pack);
      cuda.synchronize(stream);
      working.push({ ...next.value, buffers, pack, buildMs });
    } catch (error) {
      if (!(error instanceof GpuError && (error.isOutOfMemory || error.isUnsupported))) throw error;
      note(error);
    }
    if (working.length === wanted) break;
    beganMs = performance.now();
  }
  const ready = choice === 'find' ? fastest(device, memory, descriptors, working) : working[0];
  return ready === undefined ? noPlan(refusal, outOfMemory) : { ok: true, ready };
}

function noPlan(refusal: GpuError | null, outOfMemory: GpuError | null): Extract<ChosenPlan, { ok: false }> {
  if (outOfMemory !== null) {
    const reason = `no engine's workspace has room: ${outOfMemory.message}`;
    return { ok: false, outcome: 'out-of-memory', reason };
  }
  const why = refusal?.message ?? 'the heuristics propose none';
  return { ok: false, outcome: 'unsupported', reason: `cuDNN has no engine for it: ${why}` };
}

/** The fastest of the working plans. All use the largest workspace, because it may have moved since a plan was tried. */
function fastest(
  { cuda, backend, handle, stream }: Device,
  memory: DeviceMemory,
  descriptors: Descriptors,
  plans: readonly ReadyPlan[],
): ReadyPlan | undefined {
  const [start, stop] = [cuda.createEvent(), cuda.createEvent()];
  let best: { ready: ReadyPlan; timeMs: number } | undefined;
  const mostBytes = Math.max(0, ...plans.map(({ workspaceBytes }) => workspaceBytes));
  const workspace = mostBytes === 0 ? 0n : memory.take('workspace', mostBytes).pointer;
  try {
    for (const plan of plans) {
      const buffers = { ...plan.buffers, workspace };
      const ready = { ...plan, buffers, pack: variantPack(descriptors, buffers) };
      cuda.recordEvent(start, stream);
      for (let run = 0; run < TIMED_RUNS; run++) backend.execute(handle, ready.plan, ready.pack);
      cuda.recordEvent(stop, stream);
      cuda.waitForEvent(stop);
      const timeMs = cuda.elapsedMs(start, stop);
      if (best === undefined || timeMs < best.timeMs) best = { ready, timeMs };
    }
  } finally {
    for (const event of [start, stop]) cuda.destroyEvent(event);
  }
  return best?.ready;
}
