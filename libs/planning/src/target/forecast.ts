import { type Forecast, type LearningPoint, type NoiseFloor, percent } from '@alphaflops/contracts';
import { pow } from '@alphaflops/elementary';
import { leastErrorByNoise } from './decide.js';
import { LearningCurve } from './learning-curve.js';

/** A curve needs at least this number of points of one form. */
const MIN_POINTS = 3;
/** A target that needs more shapes than this counts as not reachable. */
const MAX_SHAPES = 1_000_000;

/** Number of points of a drawn curve. */
const CURVE_POINTS = 30;

export interface ForecastQuestion {
  readonly learning: readonly Pick<
    LearningPoint,
    'shapes' | 'medianApe' | 'standardError' | 'form' | 'judgedBy'
  >[];
  /** Held-out median error, a share. */
  readonly targetError: number;
  readonly noiseFloor: NoiseFloor | null;
  /** Number of shapes when the whole budget is measured. */
  readonly budgetShapes: number;
  /** Rate of the whole device class; null: not known. */
  readonly shapesPerSecond: number | null;
}

/** Forecast of the learning curve of a campaign; null while too few rounds are measured. */
export function forecastOf(question: ForecastQuestion): Forecast | null {
  const { learning, targetError, noiseFloor, budgetShapes, shapesPerSecond } = question;
  const newest = learning.at(-1);
  const points = learning.filter(({ form, medianApe }) => form === newest?.form && medianApe > 0);
  if (newest === undefined || points.length < MIN_POINTS) return null;
  const measured = Math.min(...points.map(({ medianApe }) => medianApe));
  const curve = new LearningCurve(points, Math.min(leastErrorByNoise(noiseFloor), measured));
  const { median, low, high } = curve.shapesFor(targetError);
  const shapesForTarget = wholeShapes(median);
  const more = shapesForTarget === null ? null : Math.max(0, shapesForTarget - newest.shapes);
  const secondsForTarget =
    more === null || shapesPerSecond === null || shapesPerSecond === 0 ? null : more / shapesPerSecond;
  const medianApeAtBudget = curve.errorAt(Math.max(budgetShapes, newest.shapes));
  const reachable = curve.errorAt(MAX_SHAPES);
  return {
    ...{ shapesForTarget, lowShapes: wholeShapes(low), highShapes: wholeShapes(high) },
    ...{ moreShapes: more, secondsForTarget, medianApeAtBudget, reachable },
    curve: drawn(curve, points[0]?.shapes ?? 1, Math.max(budgetShapes, newest.shapes, shapesForTarget ?? 0)),
    text: textOf(
      { moreShapes: more, secondsForTarget, shapesForTarget, medianApeAtBudget, reachable },
      question,
      newest.form,
    ),
  };
}

function wholeShapes(shapes: number | null): number | null {
  return shapes === null || shapes > MAX_SHAPES ? null : Math.ceil(shapes);
}

/** Points at equal distances in the logarithm of the number of shapes. */
function drawn(curve: LearningCurve, from: number, to: number): Forecast['curve'] {
  return Array.from({ length: CURVE_POINTS }, (_, i) => {
    const shapes = Math.round(from * pow(to / from, i / (CURVE_POINTS - 1)));
    return { shapes, medianApe: curve.errorAt(shapes) };
  });
}

type Words = Omit<Forecast, 'lowShapes' | 'highShapes' | 'text' | 'curve'>;

function textOf(
  { moreShapes, secondsForTarget, shapesForTarget, medianApeAtBudget, reachable }: Words,
  { targetError, budgetShapes }: ForecastQuestion,
  form: string,
): string {
  const target = percent(targetError);
  if (moreShapes === null || shapesForTarget === null) {
    return `${target} is not reachable with the form ${form}: it comes down to about ${percent(reachable)}`;
  }
  if (moreShapes === 0) return `about at the target of ${target}`;
  const time = secondsForTarget === null ? '' : `, ${durationText(secondsForTarget)}`;
  const needed = `about ${rounded(moreShapes)} more shapes${time}, for ${target}`;
  return shapesForTarget <= budgetShapes
    ? needed
    : `${needed}: more than the budget, with which the error comes down to about ${percent(medianApeAtBudget)}`;
}

/** Two significant digits: a forecast has no more. */
function rounded(shapes: number): string {
  return Number(shapes.toPrecision(2)).toLocaleString('en');
}

function durationText(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} minutes`;
  return `${(seconds / 3_600).toFixed(1)} hours`;
}
