import { log } from '@alphaflops/elementary';
import type { Shape } from '../axes/shape.js';
import { shapeOf } from '../axes/shape.js';
import { unitOfCosts, type CostSample, type CostUnit } from '../sample.js';
import { kernelNameOf, type KernelName } from './kernel-name.js';
import { WAVE_GATES } from './wave-formula.js';

/** Timed shapes with the kernels that ran, as columns. */
export interface KernelRows {
  readonly shapes: readonly Shape[];
  readonly kernels: readonly KernelName[];
  /** Unit of the costs whose logarithms are `logCost`. */
  readonly unit: CostUnit;
  readonly logCost: Float64Array;
  /** Values of every gate, one column per gate. */
  readonly gates: readonly Float64Array[];
  readonly processors: number;
}

/** @param kernels kernel of each sample, in the order of the samples */
export function kernelRows(
  samples: readonly CostSample[],
  kernels: readonly string[],
  processors: number,
): KernelRows {
  const shapes = samples.map(({ spec }) => shapeOf(spec));
  return {
    shapes,
    kernels: kernels.map(kernelNameOf),
    logCost: Float64Array.from(samples, ({ value }) => log(value)),
    unit: unitOfCosts(samples),
    gates: WAVE_GATES.map(({ value }) => Float64Array.from(shapes, value)),
    processors,
  };
}

/** Members by name, names sorted. */
export function partition(
  members: Int32Array,
  nameOf: (i: number) => string,
): (readonly [string, Int32Array])[] {
  const parts = new Map<string, number[]>();
  for (const i of members) {
    const name = nameOf(i);
    const part = parts.get(name);
    if (part) part.push(i);
    else parts.set(name, [i]);
  }
  return [...parts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, part]) => [name, Int32Array.from(part)] as const);
}

/** At most `most` of the members, evenly spaced. */
export function spreadOver(members: Int32Array, most: number): Int32Array {
  if (members.length <= most) return members;
  return Int32Array.from(
    { length: most },
    (_, k) => members[Math.floor(((k + 0.5) * members.length) / most)] ?? 0,
  );
}
