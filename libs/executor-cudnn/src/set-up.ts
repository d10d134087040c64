import { BYTES_PER_ELEMENT, type ConvSpec } from '@alphaflops/conv';
import type { PrepareOptions, PrepareResult } from '@alphaflops/executor';
import { F32_TOLERANCE } from '@alphaflops/measure';
import { choosePlan, type EngineChoice, type ReadyPlan } from './choose-plan.js';
import { convProblem, RESULTS } from './conv-problem.js';
import { Descriptors } from './descriptors.js';
import type { Device } from './device.js';
import type { DeviceMemory } from './device-memory.js';
import type { MathRules } from './heuristics.js';
import type { ConvProblem, TensorShape } from './operation-graph.js';
import type { SeededBuffers } from './seeded-buffers.js';

export interface CudnnRules extends MathRules {
  readonly choice: EngineChoice;
}

/** Rounding of inputs, products and outputs to the precision, with a margin. The error of a wrong sum is about 1. */
const TOLERANCES = { f32: F32_TOLERANCE, tf32: 1e-2, f16: 2e-2, bf16: 5e-2 } as const;

/** The random values of each tensor that a pass reads. */
const SEEDS = { input: 'input', weights: 'weights', output: 'gradient' } as const;

/** All resources of one convolution, ready to be launched. */
export interface ConvSetUp {
  readonly spec: ConvSpec;
  readonly problem: ConvProblem;
  readonly plan: ReadyPlan;
  /** Overwritten before each run in the mode with cold caches. */
  readonly flush: { readonly pointer: bigint; readonly bytes: number } | null;
  readonly tolerance: number;
  /** Destroys the descriptors. */
  release(): void;
}

export type SetUpResult =
  { readonly ok: true; readonly setUp: ConvSetUp } | Extract<PrepareResult, { ok: false }>;

/** Device memory of the convolution without its workspace. */
export function neededBytes(spec: ConvSpec): number {
  const { input, weights, output } = convProblem(spec);
  return BYTES_PER_ELEMENT[spec.dtype] * (elements(input) + elements(weights) + elements(output));
}

/**
 * Allocates, fills, describes and runs one convolution once. If it returns without a set-up or throws, all descriptors are
 * destroyed.
 *
 * @throws GpuError
 */
export function setUpConv(
  device: Device,
  memory: DeviceMemory,
  inputs: SeededBuffers,
  spec: ConvSpec,
  { seed, mode }: PrepareOptions,
  rules: CudnnRules,
): SetUpResult {
  const { dtype } = spec;
  const problem = convProblem(spec);
  const descriptors = new Descriptors(device.backend);
  const release = (): void => {
    descriptors.destroyAll();
  };
  try {
    const pointerOf = (name: keyof typeof SEEDS): bigint => {
      const count = elements(problem[name]);
      return name === RESULTS[problem.pass]
        ? memory.take('result', BYTES_PER_ELEMENT[dtype] * count).pointer
        : inputs.take(SEEDS[name], dtype, seed, count);
    };
    const tensors = { input: pointerOf('input'), weights: pointerOf('weights'), output: pointerOf('output') };
    const flush =
      mode === 'cold'
        ? { pointer: memory.take('flush', device.l2Bytes).pointer, bytes: device.l2Bytes }
        : null;
    const chosen = choosePlan(device, memory, descriptors, problem, tensors, rules);
    if (!chosen.ok) {
      release();
      return chosen;
    }
    const tolerance = TOLERANCES[dtype === 'f32' && rules.tf32 ? 'tf32' : dtype];
    return { ok: true, setUp: { spec, problem, plan: chosen.ready, flush, tolerance, release } };
  } catch (error) {
    release();
    throw error;
  }
}

function elements({ size }: TensorShape): number {
  return size.reduce((total, one) => total * one, 1);
}
