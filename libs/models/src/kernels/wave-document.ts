import { z } from 'zod';
import type { Shape } from '../axes/shape.js';
import { ModelError } from '../error.js';
import { ALL, type WaveFits, type WaveNode } from './fit-waves.js';
import type { KernelName } from './kernel-name.js';
import { countWaves, fillTerms, TERMS, WAVE_GATES, type Tiling, type WaveCounts } from './wave-formula.js';

/** Regimes in preorder: the lower side of a split follows it, `else` is the index of the upper side. */
const RegimesSchema = z.array(
  z.union([
    z.object({ gate: z.string(), atMost: z.number(), else: z.int().min(0) }),
    z.object({ n: z.int().min(0), c: z.array(z.number().min(0)).length(TERMS) }),
  ]),
);
type Regimes = z.infer<typeof RegimesSchema>;

/** Formulas of all kernels, of engines and of all samples in the document: one tiling, and one set of regimes for each fit. */
export const WavesSchema = z.array(
  z.object({
    name: z.string(),
    points: z.int().positive(),
    channels: z.int().positive(),
    perProcessor: z.int().positive(),
    depth: z.int().min(0),
    /** Empty for a fit without such shapes. */
    fits: z.array(RegimesSchema),
  }),
);
export type Waves = z.infer<typeof WavesSchema>;

/** Significant digits of a stored coefficient. */
const DIGITS = 6;

/** @param whole gives the names and tilings; the regimes come from all `fits` */
export function documentWaves(whole: WaveFits, fits: readonly WaveFits[]): Waves {
  return [...whole].map(([name, { tiling }]) => ({
    name,
    ...tiling,
    fits: fits.map((fit) => {
      const node = fit.get(name);
      return node ? documentRegimes(node) : [];
    }),
  }));
}

function documentRegimes(root: WaveNode): Regimes {
  const nodes: Regimes = [];
  const visit = (node: WaveNode): void => {
    if (!node.split) {
      const c = Array.from(node.coefficients, (value) => Number(value.toPrecision(DIGITS)));
      nodes.push({ n: node.members.length, c });
      return;
    }
    const { gate, threshold, lower, upper } = node.split;
    const split = { gate: WAVE_GATES[gate]?.name ?? '', atMost: threshold };
    const at = nodes.length;
    nodes.push({ ...split, else: 0 });
    visit(lower);
    nodes[at] = { ...split, else: nodes.length };
    visit(upper);
  };
  visit(root);
  return nodes;
}

interface Compiled {
  readonly tiling: Tiling;
  readonly fits: readonly CompiledFit[];
}
interface CompiledFit {
  /** −1: a regime, whose coefficients start at `next`. Otherwise a split, whose upper side is `next`. */
  readonly gate: Int32Array;
  readonly atMost: Float64Array;
  readonly next: Int32Array;
  readonly coefficients: Float64Array;
}

/** Predicts by all fits of a document. It reuses buffers, so that calls must not be nested. */
export class WavePredictor {
  private readonly byName: ReadonlyMap<string, Compiled>;
  private readonly all: Compiled;
  private readonly terms = new Float64Array(TERMS);
  private readonly rest: Float64Array;
  /** Counts of the formula that was evaluated last. */
  counts: WaveCounts = { tiles: 1, waves: 1, steps: 1 };
  tiling: Tiling;

  /** @throws ModelError `bad-document`. */
  constructor(
    waves: Waves,
    private readonly processors: number,
  ) {
    this.byName = new Map(
      waves.map(({ name, fits, ...tiling }) => [name, { tiling, fits: fits.map(compiledFit) }]),
    );
    const all = this.byName.get(ALL);
    if (!all || all.fits.some(({ gate }) => gate.length === 0)) {
      throw new ModelError('bad-document', 'the wave formulas lack the one of all samples');
    }
    this.all = all;
    this.tiling = all.tiling;
    this.rest = new Float64Array(all.fits.length);
  }

  /** Fills `out` with the time by each fit, in milliseconds. Without a kernel, it uses the formula of all samples. */
  milliseconds(shape: Shape, kernel: KernelName | undefined, out: Float64Array): void {
    const engine = (kernel && this.byName.get(kernel.engine)) ?? this.all;
    const found = (kernel && this.byName.get(kernel.kernel)) ?? engine;
    const parts = kernel?.parts ?? 1;
    this.evaluate(found, shape, parts, out);
    const { tiling, counts } = this;
    this.complete(found, engine, shape, parts, out);
    this.complete(found, this.all, shape, parts, out);
    this.tiling = tiling;
    this.counts = counts;
  }

  /** For fits without such a kernel, fills in the time by a more general formula. */
  private complete(found: Compiled, other: Compiled, shape: Shape, parts: number, out: Float64Array): void {
    if (other === found || out.indexOf(0) < 0) return;
    const { rest } = this;
    this.evaluate(other, shape, parts, rest);
    for (let m = 0; m < out.length; m++) if (out[m] === 0) out[m] = rest[m] ?? 0;
  }

  /** Fills `out`; 0 for a fit without such a formula. */
  private evaluate({ tiling, fits }: Compiled, shape: Shape, parts: number, out: Float64Array): void {
    const { terms, processors } = this;
    this.tiling = tiling;
    this.counts = countWaves(shape, tiling, parts, processors);
    fillTerms(shape, this.counts, processors, terms);
    for (let m = 0; m < out.length; m++) {
      out[m] = 0;
      const fit = fits[m];
      if (!fit || fit.gate.length === 0) continue;
      let at = 0;
      for (let gate = fit.gate[0] ?? -1; gate >= 0; gate = fit.gate[at] ?? -1) {
        const value = WAVE_GATES[gate]?.value(shape) ?? 0;
        at = value <= (fit.atMost[at] ?? 0) ? at + 1 : (fit.next[at] ?? 0);
      }
      const from = fit.next[at] ?? 0;
      let ms = 0;
      for (let j = 0; j < TERMS; j++) ms += (fit.coefficients[from + j] ?? 0) * (terms[j] ?? 0);
      out[m] = ms;
    }
  }
}

function compiledFit(nodes: Regimes): CompiledFit {
  const gate = new Int32Array(nodes.length).fill(-1);
  const atMost = new Float64Array(nodes.length);
  const next = new Int32Array(nodes.length);
  const coefficients: number[] = [];
  nodes.forEach((node, i) => {
    if ('c' in node) {
      next[i] = coefficients.length;
      coefficients.push(...node.c);
      return;
    }
    const known = WAVE_GATES.findIndex(({ name }) => name === node.gate);
    if (known < 0 || node.else <= i || node.else >= nodes.length) {
      throw new ModelError(
        'bad-document',
        `wave regime ${i} splits on "${node.gate}" to ${node.else}: not readable`,
      );
    }
    [gate[i], atMost[i], next[i]] = [known, node.atMost, node.else];
  });
  return { gate, atMost, next, coefficients: Float64Array.from(coefficients) };
}
