import { fitModel, ModelError, type FitOptions, type FitSample } from '@alphaflops/models';
import type { Model } from '@alphaflops/contracts';
import { PlanError, planNextRound, type NextRound, type NextRoundRequest } from '@alphaflops/planning';

export interface FitTask {
  samples: FitSample[];
  options: FitOptions;
}

/** A refusal is a value: error classes do not survive the way between threads. */
export type FitAnswer = { ok: true; model: Model } | { ok: false; reason: string };
export type RoundAnswer = { ok: true; round: NextRound } | { ok: false; reason: string };

/** Runs in a thread of its own, so that the API stays quick during a fit. */
export function fit({ samples, options }: FitTask): FitAnswer {
  try {
    return { ok: true, model: fitModel(samples, options) };
  } catch (error) {
    if (error instanceof ModelError) return { ok: false, reason: error.message };
    throw error;
  }
}

/** Likewise, because choosing a round begins with a fit. */
export function planRound(request: NextRoundRequest): RoundAnswer {
  try {
    return { ok: true, round: planNextRound(request) };
  } catch (error) {
    if (error instanceof ModelError || error instanceof PlanError)
      return { ok: false, reason: error.message };
    throw error;
  }
}
