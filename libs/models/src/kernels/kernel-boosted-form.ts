import { exp, log } from '@alphaflops/elementary';
import { z } from 'zod';
import { compileModelTree, fitModelTree, ModelTreeSchema, ShapeRow } from '../axes/model-tree.js';
import { shapeOf, type Shape } from '../axes/shape.js';
import { sharedFits } from '../axes/shared-fits.js';
import { binned, type Binned } from '../boosting/bins.js';
import { fillFeatures } from '../boosting/features.js';
import { Forests, StoredTreeSchema } from '../boosting/forest.js';
import { boostRest, featureColumns, fitSpread, spreadOf } from '../boosting/members.js';
import { ModelError } from '../error.js';
import type { FitContext, Form, OutOfFold, PredictedCost } from '../form.js';
import type { CostSample } from '../sample.js';
import { ALL } from './fit-waves.js';
import { kernelFits, type KernelFits } from './kernel-fits.js';
import { fillKernelFeatures, KERNEL_BEGIN, KERNEL_F, KERNEL_FEATURES } from './kernel-features.js';
import type { KernelName } from './kernel-name.js';
import { documentWaves, WavePredictor, WavesSchema } from './wave-document.js';
import { countWaves } from './wave-formula.js';

const ExtraSchema = z.object({
  schema: z.literal('kernel-boosted/1'),
  processors: z.number().positive(),
  /** The formulas of `kernel-waves`, fitted without each fold. */
  waves: WavesSchema,
  /** `alpha-axes`; its time is a feature of the trees. */
  axes: ModelTreeSchema,
  features: z.array(z.string()),
  members: z.array(z.array(StoredTreeSchema)).min(1),
  /** Log spread: trees on all features. In these features, the time of the kernel is the predicted one. */
  spread: z.array(StoredTreeSchema),
});
type Extra = z.infer<typeof ExtraSchema>;

/** The residuals of the formulas are small: 31 leaves give 4.45 % instead of 4.61 % median error, but predictions take twice as long. */
const MAX_LEAVES = 12;

/**
 * Gradient-boosted trees on the residuals of `kernel-waves`. Their features are the shape, the kernel and its knobs, its tiles
 * and waves, and the time by `alpha-axes`. There are five members with formulas and trees, and each is fitted without one fold
 * of shapes. The prediction is the mean of the formulas' log times, corrected by the median of the trees.
 */
export const kernelBoostedForm: Form = {
  name: 'kernel-boosted',
  description:
    'kernel-waves times exp(gradient-boosted trees that see the kernel), five members fitted without a fold each',
  parameters: [],
  leastShapes: 150,
  // on new shapes, the mean of five formulas and the median of five sets of trees are better by this factor (docs/models.md)
  pessimism: 1.1,
  losses: ['relative'],
  needsKernels: true,
  corrects: 'kernel-waves',

  fit(samples, context) {
    const fits = kernelFits(samples, context);
    const { frame, rows, whole, folds, heldOut } = fits;
    const columns = columnsOf(samples, context, fits);
    const bases = folds.map((fold) => ({ ...fold, logCost: heldOut }));
    const logCost = new Float64Array(samples.length);
    const members = bases.map((base, m) => {
      const { trees, values } = boostRest(frame, columns, base, m, context, MAX_LEAVES);
      for (const i of base.heldOut) logCost[i] = (heldOut[i] ?? NaN) + (values[i] ?? 0);
      return trees;
    });
    const ofSpread = columns.with(KERNEL_BEGIN + 1, binned(logCost));
    const spread = fitSpread(frame, ofSpread, folds, logCost, context.seed);
    const { tree } = fitModelTree(frame, Int32Array.from(samples.keys()));
    const extra: Extra = {
      schema: 'kernel-boosted/1',
      processors: rows.processors,
      waves: documentWaves(
        whole,
        folds.map(({ waves }) => waves),
      ),
      axes: tree,
      features: [...KERNEL_FEATURES],
      members,
      spread: spread.trees,
    };
    const outOfFold: OutOfFold = { values: logCost.map(exp), spread: spread.outOfFold };
    return { groups: [], extra, notes: [], outOfFold };
  },

  compile({ extra }) {
    const parsed = ExtraSchema.safeParse(extra);
    if (!parsed.success) {
      const problem = z.prettifyError(parsed.error);
      throw new ModelError('bad-document', `the form kernel-boosted is not readable:\n${problem}`);
    }
    return new KernelBoostedPredictor(parsed.data).predict;
  },
};

class KernelBoostedPredictor {
  private readonly waves: WavePredictor;
  private readonly axes: (shape: Shape, at: ShapeRow) => number;
  private readonly row: ShapeRow;
  private readonly forests: Forests;
  private readonly spreads: Forests;
  private readonly count: number;
  private readonly vector = new Float64Array(KERNEL_F);
  private readonly ms: Float64Array;
  private readonly trees: Float64Array;
  private readonly logSpread = new Float64Array(1);
  private readonly processors: number;
  /** The spec whose shape is in the buffers. Several kernels are tried for one spec. */
  private last: { readonly spec: unknown; readonly shape: Shape; readonly axes: number } | null = null;

  /** @throws ModelError `bad-document`. */
  constructor({ processors, waves, axes, features, members, spread }: Extra) {
    const places = features.map((name) => KERNEL_FEATURES.indexOf(name));
    const placeOf = (feature: number): number | undefined => places[feature];
    this.processors = processors;
    this.count = members.length;
    this.waves = new WavePredictor(waves, processors);
    this.axes = compileModelTree(axes);
    this.row = new ShapeRow(axes.processors);
    this.forests = new Forests(members, KERNEL_F, placeOf, KERNEL_BEGIN);
    this.spreads = new Forests([spread], KERNEL_F, placeOf, KERNEL_BEGIN);
    this.ms = new Float64Array(this.count);
    this.trees = new Float64Array(this.count);
  }

  readonly predict = (spec: Shape['spec'], kernel?: KernelName): PredictedCost => {
    const { vector, waves, ms, trees, count, processors } = this;
    if (this.last?.spec !== spec) {
      const shape = shapeOf(spec);
      this.row.fill(shape);
      fillFeatures(shape, processors, vector);
      this.forests.share(vector);
      this.spreads.share(vector);
      this.last = { spec, shape, axes: log(this.axes(shape, this.row)) };
    }
    const { shape, axes } = this.last;
    waves.milliseconds(shape, kernel, ms);
    let product = 1;
    for (let m = 0; m < count; m++) product *= ms[m] ?? NaN;
    const base = log(product) / count;
    fillKernelFeatures(vector, kernel, waves.tiling, waves.counts, processors, { axes, kernel: base });
    this.forests.values(vector, trees);
    const logCost = base + (trees.sort()[count >> 1] ?? NaN);
    vector[KERNEL_BEGIN + 1] = logCost;
    this.spreads.values(vector, this.logSpread);
    return { value: exp(logCost), spread: spreadOf(this.logSpread[0] ?? 0) };
  };
}

/** All features of the samples, with times by fits that did not see their shapes. */
function columnsOf(
  samples: readonly CostSample[],
  context: FitContext,
  { frame, rows, whole, heldOut }: KernelFits,
): Binned[] {
  const axes = new Float64Array(samples.length);
  for (const { heldOut: fold, logCost } of sharedFits(samples, context).members) {
    for (const i of fold) axes[i] = logCost[i] ?? NaN;
  }
  const columns = Array.from({ length: KERNEL_F - KERNEL_BEGIN }, () => new Float64Array(samples.length));
  const vector = new Float64Array(KERNEL_F);
  const all = whole.get(ALL);
  rows.shapes.forEach((shape, i) => {
    const name = rows.kernels[i];
    const node = whole.get(name?.kernel ?? '') ?? all;
    if (!node) return;
    const counts = countWaves(shape, node.tiling, name?.parts ?? 1, rows.processors);
    const logCosts = { axes: axes[i] ?? NaN, kernel: heldOut[i] ?? NaN };
    fillKernelFeatures(vector, name, node.tiling, counts, rows.processors, logCosts);
    columns.forEach((column, f) => (column[i] = vector[KERNEL_BEGIN + f] ?? 0));
  });
  return [...featureColumns(frame), ...columns.map(binned)];
}
