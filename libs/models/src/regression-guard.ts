import { type Model, percent } from '@alphaflops/contracts';
import { median } from 'simple-statistics';
import { heldOutPrediction } from './compared-shapes.js';
import { formNamed } from './forms.js';
import { compileModel } from './predict.js';
import { timeSamples, type CostSample, type FitSample } from './sample.js';

const { abs, sqrt } = Math;

/** Whether a new model replaces the served one, and why. */
export interface Judgement {
  readonly serve: boolean;
  readonly reason: string;
}

/** Accepted relative increase of the error: it is too small to matter. */
const TOLERANCE = 0.02;
/**
 * A candidate is worse only if it also has the larger error on significantly more than half of the shapes (a sign test), by this
 * number of standard deviations: median errors of fits to the same 1,000 shapes differ by up to 7 % between seeds.
 */
const DEVIATIONS = 2;
/** Below this number of shapes, two models cannot be distinguished. */
const MIN_COMPARED = 20;

/**
 * Guards against a worse model. It compares both models on the same shapes of the candidate's samples, by predictions
 * without the shape: those of cross-validation, or of the whole model if it never saw the shape. The candidate is served if
 * there is no served model, or if there are too few such shapes.
 *
 * @param samples the samples of the candidate's fit
 * @throws ModelError as {@link compileModel} and `timeSamples`.
 */
export function judgeCandidate(
  candidate: Model,
  served: Model | null,
  samples: readonly FitSample[],
): Judgement {
  if (served === null) return { serve: true, reason: 'no model was served before' };
  const shaped = timeSamples(samples);
  const specs = new Map(shaped.map(({ key, spec }) => [key, spec]));
  const [ofCandidate, ofServed] = [candidate, served].map((model) => {
    const predict = compileModel(model);
    const pessimism = formNamed(model.chosenForm).pessimism ?? 1;
    const held = heldOutPrediction(model, (key) => {
      const spec = specs.get(key);
      return spec ? predict(spec).predictedMs : NaN;
    });
    return (key: string, timeMs: number): number | null => {
      const predicted = held(key);
      return predicted && abs(predicted.timeMs / timeMs - 1) / (predicted.byPart ? pessimism : 1);
    };
  });
  const pairs = typical(shaped).flatMap(([key, timeMs]) => {
    const [now, then] = [ofCandidate?.(key, timeMs) ?? null, ofServed?.(key, timeMs) ?? null];
    return now === null || then === null ? [] : [{ now, then }];
  });
  const n = pairs.length;
  if (n < MIN_COMPARED) {
    return {
      serve: true,
      reason: `${n} shapes held out by both are too few to compare (${MIN_COMPARED} needed)`,
    };
  }
  const [now, then] = [median(pairs.map((pair) => pair.now)), median(pairs.map((pair) => pair.then))];
  const compared = `median error ${percent(now)} against ${percent(then)} of the served model${served.id === null ? '' : ` ${served.id}`} on ${n} shapes held out by both`;
  const lost = pairs.filter((pair) => pair.now > pair.then).length;
  const won = pairs.filter((pair) => pair.now < pair.then).length;
  const worse = now > then * (1 + TOLERANCE) && lost - won > DEVIATIONS * sqrt(lost + won);
  return worse ? { serve: false, reason: `worse: ${compared}` } : { serve: true, reason: compared };
}

/** Each shape with the median of its times. The samples are in the order of their shapes and times. */
function typical(samples: readonly CostSample[]): (readonly [key: string, timeMs: number])[] {
  const times = new Map<string, number[]>();
  for (const { key, value } of samples) {
    const known = times.get(key);
    if (known) known.push(value);
    else times.set(key, [value]);
  }
  return [...times].map(([key, values]) => [key, values[values.length >> 1] ?? NaN]);
}
