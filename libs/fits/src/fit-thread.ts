import { fitModel, ModelError, type FitOptions, type FitSample } from '@alphaflops/models';
import type { Model } from '@alphaflops/contracts';
import {
  type InterimFit,
  interimFit as fitBetweenRounds,
  type InterimOptions,
  type NextRound,
  type NextRoundRequest,
  PlanError,
  planNextRound,
} from '@alphaflops/planning';

export interface FitTask {
  samples: FitSample[];
  options: FitOptions;
}

/** A refusal is a value, because messages between threads do not preserve error classes. */
export type FitAnswer = { ok: true; model: Model } | { ok: false; reason: string };
export type InterimAnswer = { ok: true; fit: InterimFit } | { ok: false; reason: string };
export type RoundAnswer = { ok: true; round: NextRound } | { ok: false; reason: string };

/** Runs in a separate thread, so that the API stays fast during a fit. */
export function fit({ samples, options }: FitTask): FitAnswer {
  try {
    return { ok: true, model: fitModel(samples, options) };
  } catch (error) {
    if (error instanceof ModelError) return { ok: false, reason: error.message };
    return { ok: false, reason: broken('fitting', error) };
  }
}

export interface InterimTask {
  samples: FitSample[];
  options: InterimOptions;
}

/** The same between the rounds of a campaign with a target error. */
export function interimFit({ samples, options }: InterimTask): InterimAnswer {
  try {
    const { form, shapes, medianApe, standardError, judgedBy } = fitBetweenRounds(samples, options);
    return { ok: true, fit: { form, shapes, medianApe, standardError, judgedBy } };
  } catch (error) {
    if (error instanceof ModelError) return { ok: false, reason: error.message };
    return { ok: false, reason: broken('fitting', error) };
  }
}

/** In the same thread, because the choice of a round begins with a fit. */
export function planRound(request: NextRoundRequest): RoundAnswer {
  try {
    return { ok: true, round: planNextRound(request) };
  } catch (error) {
    if (error instanceof ModelError || error instanceof PlanError)
      return { ok: false, reason: error.message };
    return { ok: false, reason: broken('planning', error) };
  }
}

/** Message for the state of the campaign. The same input would fail again. */
function broken(work: string, error: unknown): string {
  const name = error instanceof Error ? error.name : 'Error';
  const message = error instanceof Error ? error.message : String(error);
  const [first = ''] = message.split('\n');
  return `${work} ended because of an error in alphaflops (${name}: ${first.slice(0, 300)}); please report it`;
}
