import type { Model } from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import { axisResponse, RESPONSE_AXES } from '@alphaflops/models';
import { svgPlot } from './svg-plot.js';

/** Ratios beyond this factor are drawn at the border. */
const RATIO = 4;

/** Plots held-out predictions divided by measurements. Returns null for a document without held-out predictions. */
export function residualPlot({ heldOut }: Pick<Model, 'heldOut'>, unit: 'ms' | 'mJ'): string | null {
  if (!heldOut || heldOut.points.length === 0) return null;
  const measured = heldOut.points.map(([, value]) => value);
  const range = { min: Math.min(...measured), max: Math.max(...measured) };
  return svgPlot(
    'Held-out predictions over measurements',
    { label: `measured, ${unit}`, min: range.min, max: Math.max(range.max, 1.01 * range.min) },
    { label: 'predicted / measured', min: 1 / RATIO, max: RATIO },
    [
      { name: 'held out', drawn: 'dots', points: heldOut.points.map(([, m, p]) => [m, p / m]) },
      { name: 'exact', drawn: 'line', points: [[range.min, 1], [range.max, 1]] }, // prettier-ignore
    ],
  );
}

/** Plots α along every axis that varies in the samples, starting from a typical shape. */
export function responsePlot(model: Model, spec: ConvSpec): string | null {
  const series = RESPONSE_AXES.flatMap((axis) => {
    // Groups change the work of each channel, so their points do not form one curve.
    if (axis === 'groups') return [];
    const points = axisResponse(model, spec, axis).map(({ value, alpha }) => [value, alpha] as const);
    return points.length < 3 ? [] : [{ name: axis, drawn: 'line' as const, points }];
  });
  if (series.length === 0) return null;
  const all = series.flatMap(({ points }) => points);
  const [values, alphas] = [all.map(([value]) => value), all.map(([, alpha]) => alpha)];
  return svgPlot(
    'α along each axis',
    { label: 'value of the axis', min: Math.min(...values), max: Math.max(...values) },
    { label: 'α, 1 at the smallest value', min: Math.min(...alphas, 0.5), max: Math.max(...alphas, 2) },
    series,
  );
}
