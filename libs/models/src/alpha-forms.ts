import {
  alphaReference,
  kernelGroup,
  kernelPoints,
  macs,
  outputPoints,
  PUBLISHED_ALPHA,
  type ConvSpec,
} from '@alphaflops/conv';
import { exp, log, pow } from '@alphaflops/elementary';
import { median } from 'simple-statistics';
import { ALL_KERNELS, analyticForm } from './analytic-form.js';
import type { ParameterVector } from './analytic-formula.js';
import type { ParameterDefinition } from './form.js';

const { max, min } = Math;

/** The variables that the forms of the paper compute from a spec. */
interface AlphaVariables {
  /** Multiply-adds in millions. */
  readonly millionMacs: number;
  /** S, output points. */
  readonly points: number;
  /** S_K = 1 + ln K. */
  readonly reference: number;
}

type Point = { readonly x: AlphaVariables; readonly value: number };

const variables = (spec: ConvSpec): AlphaVariables => ({
  millionMacs: macs(spec) / 1e6,
  points: outputPoints(spec),
  reference: alphaReference(kernelPoints(spec)),
});

/** Far below the value of any device (it means 10¹⁸ multiply-adds a second), so that a time is never 0. */
const MIN_RATE = 1e-12;

const RATE: ParameterDefinition = {
  name: 'c',
  unit: { per: ' per million multiply-adds' },
  lower: MIN_RATE,
  upper: Infinity,
  description: 'time per multiply-add where α is 1',
};
const BETA: ParameterDefinition = {
  name: 'beta',
  unit: '1',
  lower: 0,
  upper: 1,
  description: 'share of the cost of one output point that a further point adds',
};
const GAMMA: ParameterDefinition = {
  name: 'gamma',
  unit: '1',
  lower: 0,
  upper: 3,
  description: 'strength of the correction; 0 is plain FLOPs',
};
const LATENCY: ParameterDefinition = {
  name: 't0',
  unit: { per: '' },
  lower: 0,
  upper: Infinity,
  description: 'time of the smallest convolution: launch cost',
};

const WITHOUT_ALPHA = {
  values: { beta: 1, gamma: 0 },
  note: 'time is proportional to the multiply-adds as far as the data tell, α is 1 and β and γ are not identifiable',
};

/** (S_K + β(S − S_K)) / S, the base of α. */
const saturation = (beta: number, { points, reference }: AlphaVariables): number =>
  (reference + beta * (points - reference)) / points;

/** Start values of β and γ: the published values for both kernel groups, and a weak correction. */
const SHAPES = [PUBLISHED_ALPHA['1x1'], PUBLISHED_ALPHA.other, { beta: 0.3, gamma: 0.3 }];

/** The median rate of the samples, after `taken` is subtracted from the cost of each. */
const typicalRate = (samples: readonly Point[], beta: number, gamma: number, taken = 0): number =>
  median(
    samples.map(
      ({ x, value }) => max(value - taken, value / 10) / (pow(saturation(beta, x), gamma) * x.millionMacs),
    ),
  );

/** c·M: the baseline, one constant for all kernels. */
export const flopsForm = analyticForm<AlphaVariables>({
  name: 'flops',
  description: 'c·M: time proportional to the multiply-adds M (in millions), one constant for all kernels',
  parameters: [RATE],
  groupOf: () => ALL_KERNELS,
  variables,
  cost: (p, x) => (p[0] ?? NaN) * x.millionMacs,
  gradient: (_, x, out) => {
    out[0] = x.millionMacs;
  },
  starts: (samples) => [[typicalRate(samples, 1, 0)]],
});

const alphaCost = (beta: number, gamma: number, c: number, x: AlphaVariables): number =>
  c * pow(saturation(beta, x), gamma) * x.millionMacs;

/** Fills ∂/∂β, ∂/∂γ, ∂/∂c of c·α·M from `offset`. */
function alphaGradient(p: ParameterVector, offset: number, x: AlphaVariables, out: Float64Array): void {
  const beta = p[offset] ?? NaN;
  const gamma = p[offset + 1] ?? NaN;
  const c = p[offset + 2] ?? NaN;
  const base = saturation(beta, x);
  const logBase = log(base);
  const perRate = exp(gamma * logBase) * x.millionMacs;
  out[offset] = (c * perRate * gamma * (x.points - x.reference)) / (x.points * base);
  out[offset + 1] = c * perRate * logBase;
  out[offset + 2] = perRate;
}

/** c·α_K(S)·M: the form of the paper (Asperti, Evangelista and Marzolla 2021). */
export const alphaForm = analyticForm<AlphaVariables>({
  name: 'alpha',
  description: 'c·α_K(S)·M with α_K(S) = ((S_K + β(S − S_K)) / S)^γ, 1×1 kernels and others apart',
  parameters: [BETA, GAMMA, RATE],
  groupOf: kernelGroup,
  variables,
  cost: (p, x) => alphaCost(p[0] ?? NaN, p[1] ?? NaN, p[2] ?? NaN, x),
  gradient: (p, x, out) => {
    alphaGradient(p, 0, x, out);
  },
  starts: (samples) => SHAPES.map(({ beta, gamma }) => [beta, gamma, typicalRate(samples, beta, gamma)]),
  withoutEffect: WITHOUT_ALPHA,
});

/** t0 + c·α_K(S)·M. */
export const alphaLatencyForm = analyticForm<AlphaVariables>({
  name: 'alpha-latency',
  description: 't0 + c·α_K(S)·M: the form of the paper and a launch cost, 1×1 kernels and others apart',
  parameters: [LATENCY, BETA, GAMMA, RATE],
  groupOf: kernelGroup,
  variables,
  cost: (p, x) => (p[0] ?? NaN) + alphaCost(p[1] ?? NaN, p[2] ?? NaN, p[3] ?? NaN, x),
  gradient: (p, x, out) => {
    out[0] = 1;
    alphaGradient(p, 1, x, out);
  },
  starts: (samples) => {
    const smallest = samples.reduce((least, { value }) => min(least, value), Infinity);
    return SHAPES.map(({ beta, gamma }) => [
      smallest / 2,
      beta,
      gamma,
      typicalRate(samples, beta, gamma, smallest / 2),
    ]);
  },
  withoutEffect: WITHOUT_ALPHA,
});
