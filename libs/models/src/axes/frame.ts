import { exp, log } from '@alphaflops/elementary';
import { unitOfCosts, type CostSample, type CostUnit } from '../sample.js';
import { GATES } from './gates.js';
import { rootCost } from './grow.js';
import { kernelFamily, shapeOf, type KernelFamily, type Shape } from './shape.js';
import { startVector, valuesOf } from './tile-wave-parameters.js';
import { fillRow, ROW, tileWaveMs, type TileWaveData } from './tile-wave.js';

/** Samples as columns, computed once for all fits to them. */
export interface Frame extends TileWaveData {
  readonly shapes: readonly Shape[];
  readonly families: readonly KernelFamily[];
  /** Values of every gate, one column per gate. */
  readonly gates: readonly Float64Array[];
  readonly processors: number;
  /** Unit of the costs whose logarithms are `logCost`. */
  readonly unit: CostUnit;
  /** Whether the number of processors comes from the data, not from the device. */
  readonly estimated: boolean;
}

/** Numbers of processors of common devices (1: serial). The fit tries them when the number is not known. */
export const KNOWN_PROCESSORS = [1, 4, 8, 16, 20, 28, 40, 56, 80, 108, 132, 170];
/** Largest numbers of samples for a first estimate of the number of processors, and for the choice between the most likely ones. */
const ESTIMATING = 1000;
const DECIDING = 5000;
const FINALISTS = 3;
/** Families with fewer samples are fitted with the others. */
export const MIN_FAMILY = 40;

export function frameOf(samples: readonly CostSample[], smCount: number | undefined): Frame {
  const shapes = samples.map(({ spec }) => shapeOf(spec));
  const logCost = Float64Array.from(samples, ({ value }) => log(value));
  const families = samples.map(({ spec }) => kernelFamily(spec));
  const gates = GATES.map(({ value }) => Float64Array.from(shapes, value));
  const processors = smCount ?? estimateProcessors(shapes, families, logCost);
  const rows = rowsOf(shapes, processors);
  return {
    shapes,
    families,
    gates,
    processors,
    estimated: smCount === undefined,
    rows,
    stride: ROW,
    unit: unitOfCosts(samples),
    logCost,
  };
}

function rowsOf(shapes: readonly Shape[], processors: number): Float64Array {
  const rows = new Float64Array(shapes.length * ROW);
  shapes.forEach((shape, i) => {
    fillRow(shape, processors, rows, i * ROW);
  });
  return rows;
}

/** The known number of processors with which one formula per kernel family fits best. */
function estimateProcessors(
  shapes: readonly Shape[],
  families: readonly KernelFamily[],
  logCost: Float64Array,
): number {
  const ranked = (candidates: readonly number[], most: number): number[] => {
    const every = Math.ceil(shapes.length / most);
    const kept = <T>(values: ArrayLike<T>): T[] => Array.from(values).filter((_, i) => i % every === 0);
    const some = kept(shapes);
    const parts = partition(kept(families), Int32Array.from(some.keys()));
    const misfitOf = (processors: number): number => {
      const data = { rows: rowsOf(some, processors), stride: ROW, logCost: Float64Array.from(kept(logCost)) };
      // added like log-likelihoods, so that the family with the largest errors does not decide alone
      return parts.reduce((sum, [, members]) => {
        const cost = rootCost(data, members, startOf(data, members, processors));
        return sum + members.length * log(cost / members.length + Number.MIN_VALUE);
      }, 0);
    };
    return candidates
      .map((processors) => ({ processors, misfit: misfitOf(processors) }))
      .sort((a, b) => a.misfit - b.misfit)
      .map(({ processors }) => processors);
  };
  const likely = ranked(KNOWN_PROCESSORS, ESTIMATING);
  const best = shapes.length > ESTIMATING ? ranked(likely.slice(0, FINALISTS), DECIDING) : likely;
  return best[0] ?? 1;
}

/** Start values, scaled to the costs of the samples. */
export function startOf(
  { rows, stride, logCost }: TileWaveData,
  members: Int32Array,
  processors: number,
): Float64Array {
  const p = valuesOf(startVector(processors, 1));
  const ratios = Float64Array.from(
    members,
    (i) => (logCost[i] ?? 0) - log(tileWaveMs(p, rows, i * stride)),
  ).sort();
  return startVector(processors, exp(ratios[ratios.length >> 1] ?? 0));
}

/**
 * Members by kernel family. Families too small for a fit of their own join `other`, which is fitted to all members when it
 * is still too small.
 */
export function partition(
  families: readonly KernelFamily[],
  members: Int32Array,
): (readonly [KernelFamily, Int32Array])[] {
  const byFamily = new Map<KernelFamily, number[]>();
  for (const i of members) {
    const family = families[i] ?? 'other';
    const list = byFamily.get(family);
    if (list) list.push(i);
    else byFamily.set(family, [i]);
  }
  const others = byFamily.get('other') ?? [];
  byFamily.delete('other');
  for (const [family, list] of byFamily) {
    if (list.length >= MIN_FAMILY) continue;
    others.push(...list);
    byFamily.delete(family);
  }
  const parts = [...byFamily].map(([family, list]) => [family, Int32Array.from(list)] as const);
  parts.sort(([a], [b]) => (a < b ? -1 : 1));
  if (others.length === 0) return parts;
  const rest = others.length < MIN_FAMILY && parts.length > 0 ? members : Int32Array.from(others).sort();
  return [...parts, ['other', rest]];
}
