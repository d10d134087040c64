import type { FittedGroup, Parameter } from '@alphaflops/contracts';
import { exp, square } from '@alphaflops/elementary';
import { uncertainty } from '@alphaflops/least-squares';
import { z } from 'zod';
import { shapeOf } from '../axes/shape.js';
import { ModelError } from '../error.js';
import { unitText, type Form } from '../form.js';
import { kernelFits } from './kernel-fits.js';
import type { WaveNode } from './fit-waves.js';
import type { KernelRows } from './kernel-rows.js';
import { documentWaves, WavePredictor, WavesSchema } from './wave-document.js';
import { WAVE_PARAMETERS } from './wave-formula.js';
import { fillRatios, ratioTerms, ratioWeight } from './wave-solve.js';

const { sqrt } = Math;

const ExtraSchema = z.object({
  schema: z.literal('kernel-waves/1'),
  processors: z.number().positive(),
  waves: WavesSchema,
});

/**
 * Tile and wave quantization (NVIDIA, "Matrix Multiplication Background User's Guide") for a known kernel. Each kernel has one
 * formula with non-negative coefficients, in regimes between thresholds on simple properties of the shape.
 */
export const kernelWavesForm: Form = {
  name: 'kernel-waves',
  description:
    'per kernel: t0 + waves·(wave + wave_step·steps) + step·steps·tiles/processors + m·bytes + padding copy, with regimes between thresholds',
  parameters: WAVE_PARAMETERS,
  leastShapes: 40,
  losses: ['relative'],
  needsKernels: true,

  fit(samples, context) {
    const { rows, whole, heldOut } = kernelFits(samples, context);
    const extra: z.infer<typeof ExtraSchema> = {
      schema: 'kernel-waves/1',
      processors: rows.processors,
      waves: documentWaves(whole, [whole]),
    };
    return {
      groups: [...whole].map(([group, node]) => kernelGroup(rows, group, node)),
      extra,
      notes: [],
      outOfFold: { values: heldOut.map(exp), spread: new Float64Array(samples.length).fill(1) },
    };
  },

  compile({ extra }) {
    const parsed = ExtraSchema.safeParse(extra);
    if (!parsed.success) {
      const problem = z.prettifyError(parsed.error);
      throw new ModelError('bad-document', `the form kernel-waves is not readable:\n${problem}`);
    }
    const predictor = new WavePredictor(parsed.data.waves, parsed.data.processors);
    const out = new Float64Array(1);
    return (spec, kernel) => {
      predictor.milliseconds(shapeOf(spec), kernel, out);
      return { value: out[0] ?? NaN, spread: 1 };
    };
  },
};

/** The formula of a whole kernel, before it is divided into regimes, with its uncertainty. */
function kernelGroup(
  rows: KernelRows,
  group: string,
  { members, tiling, coefficients }: WaveNode,
): FittedGroup {
  const n = members.length;
  const target = Float64Array.from(members, (i) => rows.logCost[i] ?? 0);
  const x = ratioTerms(rows, { at: members, target }, tiling);
  const ratio = new Float64Array(n);
  fillRatios(x, coefficients, ratio);
  const weight = ratio.map(ratioWeight);
  const squares = ratio.reduce((sum, value, r) => sum + (weight[r] ?? 0) * square(value - 1), 0);
  const jacobian = x.map((value, k) => value * sqrt(weight[k % n] ?? 0));
  const held = Array.from(coefficients, (value) => (value > 0 ? null : ('on-bound' as const)));
  const { states, standardErrors } = uncertainty(jacobian, n, held, (free) =>
    n > free ? squares / (n - free) : null,
  );
  const parameters = WAVE_PARAMETERS.map((definition, j): Parameter => {
    const { name } = definition;
    const unit = unitText(definition.unit, rows.unit);
    const value = Number((coefficients[j] ?? 0).toPrecision(6));
    const error = standardErrors[j] ?? null;
    if (states[j] === 'on-bound') return { name, value, unit, standardError: null, state: 'on-bound' };
    // a value with an error of its own size is not significant
    if (states[j] !== 'estimated' || (error !== null && error > value)) {
      return { name, value, unit, standardError: null, state: 'not-identifiable' };
    }
    const standardError = error === null ? null : Number(error.toPrecision(3));
    return { name, value, unit, standardError, state: 'estimated' };
  });
  return { group, n, parameters, correlation: [], stopped: 'converged' };
}
