import { log } from '@alphaflops/elementary';
import { z } from 'zod';
import { ModelError } from '../error.js';
import { partition, startOf, type Frame } from './frame.js';
import { GATES } from './gates.js';
import { growRegimes, type Grown } from './grow.js';
import { compileRegimes, documentRegimes, RegimesSchema, type RegimePredictor } from './regimes.js';
import { KERNEL_FAMILIES, kernelFamily, type KernelFamily, type Shape } from './shape.js';
import { P } from './tile-wave-parameters.js';
import { fillRow, ROW } from './tile-wave.js';

/** The formula with its regimes, per kernel family: parameters as vectors (logarithms except u and v). */
export const ModelTreeSchema = z.object({
  processors: z.number().positive(),
  families: z
    .array(
      z.object({
        family: z.enum(KERNEL_FAMILIES),
        root: z.array(z.number()).length(P),
        regimes: RegimesSchema,
      }),
    )
    .min(1),
});
export type ModelTree = z.infer<typeof ModelTreeSchema>;

/** The result of the fit of one kernel family that is not in the document. */
export interface FamilyFit extends Grown {
  readonly family: KernelFamily;
  readonly members: Int32Array;
}

export interface ModelTreeFit {
  readonly tree: ModelTree;
  readonly fits: readonly FamilyFit[];
}

/** Fits the model tree to some samples of a frame. `open` are the gates for splits, by default all. */
export function fitModelTree(
  frame: Frame,
  members: Int32Array,
  open: readonly number[] = [...GATES.keys()],
): ModelTreeFit {
  const fits = partition(frame.families, members).map(([family, part]): FamilyFit => {
    const start = startOf(frame, part, frame.processors);
    const options = { gates: frame.gates, open, total: members.length };
    return { family, members: part, ...growRegimes(frame, part, start, options) };
  });
  const families = fits.map(({ family, root }) => ({
    family,
    root: Array.from(root.vector),
    regimes: documentRegimes(root),
  }));
  return { tree: { processors: frame.processors, families }, fits };
}

/** Buffers for the row and the gates of one shape. Each shape fills them again, and all trees evaluated on it share them. */
export class ShapeRow {
  readonly row = new Float64Array(ROW);
  readonly gates = new Float64Array(GATES.length);

  constructor(private readonly processors: number) {}

  fill(shape: Shape): void {
    fillRow(shape, this.processors, this.row, 0);
    GATES.forEach(({ value }, g) => (this.gates[g] = value(shape)));
  }
}

/** Time in milliseconds of the shape in the buffers. For a kernel family without a fit, it uses `other`, or the first family. */
export function compileModelTree(tree: ModelTree): (shape: Shape, at: ShapeRow) => number {
  const byFamily = new Map<KernelFamily, RegimePredictor>(
    tree.families.map(({ family, root, regimes }) => [
      family,
      compileRegimes(Float64Array.from(root), regimes),
    ]),
  );
  const fallback = byFamily.get('other') ?? [...byFamily.values()][0];
  if (!fallback) throw new ModelError('bad-document', 'the model tree has no kernel family');
  return ({ spec }, { row, gates }) => (byFamily.get(kernelFamily(spec)) ?? fallback)(row, gates);
}

/** Log milliseconds of samples of a frame. */
export function predictFrame(frame: Frame, tree: ModelTree, members: Int32Array): Float64Array {
  const predict = compileModelTree(tree);
  const at = new ShapeRow(tree.processors);
  return Float64Array.from(members, (i) => {
    const shape = frame.shapes[i];
    if (!shape) return NaN;
    at.row.set(frame.rows.subarray(i * ROW, (i + 1) * ROW));
    for (let g = 0; g < GATES.length; g++) at.gates[g] = frame.gates[g]?.[i] ?? 0;
    return log(predict(shape, at));
  });
}
