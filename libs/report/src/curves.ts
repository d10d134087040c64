import type { Model } from '@alphaflops/contracts';
import {
  alpha,
  type ConvSpec,
  kernelGroup,
  kernelPoints,
  macs,
  outputPoints,
  PUBLISHED_ALPHA,
} from '@alphaflops/conv';
import { compileModel, fitModel, type FitSample } from '@alphaflops/models';
import { median } from 'simple-statistics';
import type { Colour } from './chart.js';

export interface Measured {
  readonly spec: ConvSpec;
  /** Device time. */
  readonly timeMs: number;
  /** Launch by launch in a loop, so with launch costs in it; null where it is not known. */
  readonly eagerMs: number | null;
}

/** A prediction that is drawn over measurements. */
export interface Curve {
  readonly name: string;
  readonly colour: Colour;
  readonly dash?: string;
  readonly meaning: string;
  readonly timeMs: (spec: ConvSpec) => number;
}

export interface Served {
  readonly model: Model;
  /** What it is called in the report. */
  readonly name: string;
}

/** A document needs them; these fits are never published. */
const ORIGIN = { digest: 'not kept', codeVersion: 'report', createdAt: '1970-01-01T00:00:00Z' };

/**
 * α by the published β and γ, as a regression on milliseconds finds it, and refitted on relative error, all to the same
 * measurements; then the model.
 */
export function curvesOf(measured: readonly FitSample[], served: Served | null): readonly Curve[] {
  const refit = (loss: 'absolute' | 'relative') =>
    fitModel(measured, { form: 'alpha', loss, origin: ORIGIN });
  const [inMs, relative] = [refit('absolute'), refit('relative')];
  const rate = publishedRate(measured);
  return [
    {
      name: 'α as published',
      colour: 'published',
      dash: '6 3',
      meaning: `β and γ of the paper, with the rate of this device: ${rate.toPrecision(4)} ms per million multiply-adds, right for half of the samples`,
      timeMs: (spec) => rate * publishedAlphaMacs(spec),
    },
    {
      name: 'α as in the replication',
      colour: 'replicated',
      dash: '2 2',
      meaning: `refitted by least squares on milliseconds, as its regression does: ${parametersOf(inMs)}`,
      timeMs: timeBy(inMs, 'alpha'),
    },
    {
      name: 'α refitted',
      colour: 'refitted',
      meaning: `on relative error: ${parametersOf(relative)}`,
      timeMs: timeBy(relative, 'alpha'),
    },
    ...(served === null
      ? []
      : [
          {
            name: served.name,
            colour: 'model' as const,
            meaning: `form ${served.model.chosenForm}, ${served.model.data.samples} samples`,
            timeMs: timeBy(served.model, served.model.chosenForm),
          },
        ]),
  ];
}

/** α·M by the published β and γ; M in millions of multiply-adds. */
export function publishedAlphaMacs(spec: ConvSpec): number {
  const { [kernelGroup(spec)]: coefficients } = PUBLISHED_ALPHA;
  return (alpha(outputPoints(spec), kernelPoints(spec), coefficients) * macs(spec)) / 1e6;
}

function publishedRate(measured: readonly FitSample[]): number {
  return median(measured.map(({ spec, timeMs }) => timeMs / publishedAlphaMacs(spec)));
}

function timeBy(model: Model, form: string): Curve['timeMs'] {
  const predict = compileModel(model, form);
  return (spec) => predict(spec).predictedMs;
}

const SYMBOLS: Readonly<Record<string, string>> = { beta: 'β', gamma: 'γ' };

function parametersOf({ forms }: Model): string {
  const groups = forms.find(({ form }) => form === 'alpha')?.groups ?? [];
  return groups
    .map(({ group, parameters }) => {
      const texts = parameters.map(
        ({ name, value, state }) =>
          `${SYMBOLS[name] ?? name} ${state === 'not-identifiable' ? 'not identifiable' : value.toPrecision(3)}`,
      );
      return `${group} kernels ${texts.join(', ')}`;
    })
    .join('; ');
}
