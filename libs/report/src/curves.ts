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
  /** Time of single launches in a loop, launch costs included; null if unknown. */
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
  /** The name in the report. */
  readonly name: string;
}

/** Required fields of a model document. These fits are never published. */
const ORIGIN = { digest: 'not kept', codeVersion: 'report', createdAt: '1970-01-01T00:00:00Z' };

/**
 * Returns α with the published β and γ, α from a regression on milliseconds, α refitted on relative error, all for
 * the same measurements, and then the served model.
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
      meaning: `β and γ of the paper, with the median rate of this device: ${rate.toPrecision(4)} ms per million multiply-adds`,
      timeMs: (spec) => rate * publishedAlphaMacs(spec),
    },
    {
      name: 'α as in the replication',
      colour: 'replicated',
      dash: '2 2',
      meaning: `refitted by least squares on milliseconds, like the regression of the replication: ${parametersOf(inMs)}`,
      timeMs: timeBy(inMs, 'alpha'),
    },
    {
      name: 'α refitted',
      colour: 'refitted',
      meaning: `refitted on relative error: ${parametersOf(relative)}`,
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

/** Returns α·M with the published β and γ, with M in millions of multiply-adds. */
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
