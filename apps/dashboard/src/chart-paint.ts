import type uPlot from 'uplot';

/** One set of points or one line. `color` is a custom property of the style sheet. */
export interface Layer {
  readonly kind: 'points' | 'line' | 'dashed';
  readonly name: string;
  readonly color: string;
  readonly xs: readonly number[];
  readonly ys: readonly number[];
  /** Repeats another layer in another style, so the legend does not list it. */
  readonly isExtra?: boolean;
  /** Text about one point, in addition to its position. */
  readonly describe?: (at: number) => string;
}

/** More points than this are drawn small and translucent, so that their density is visible. */
const DENSE = 3_000;
/** Maximum distance between the pointer and a point, in CSS pixels. */
const REACH = 14;

export type Range = readonly [min: number, max: number];

/** Range of all layers along one axis with a margin; null if there is nothing to show. */
export function rangeOf(layers: readonly Layer[], axis: 'xs' | 'ys', isLog: boolean): Range | null {
  let min = Infinity;
  let max = -Infinity;
  for (const layer of layers) {
    for (const value of layer[axis]) {
      if (!Number.isFinite(value) || (isLog && value <= 0)) continue;
      if (value < min) min = value;
      if (value > max) max = value;
    }
  }
  if (min > max) return null;
  if (isLog) {
    const air = max === min ? 2 : (max / min) ** 0.04;
    return [min / air, max * air];
  }
  const air = max === min ? Math.abs(max) / 2 || 1 : (max - min) * 0.04;
  return [min >= 0 ? Math.max(0, min - air) : min - air, max + air];
}

/** Paints the layers into a drawn frame. */
export function paint(plot: uPlot, layers: readonly Layer[], colorOf: (name: string) => string): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const layer of layers) {
    ctx.fillStyle = ctx.strokeStyle = colorOf(layer.color);
    if (layer.kind === 'points') paintPoints(plot, layer);
    else paintLine(plot, layer);
  }
  ctx.restore();
}

function paintPoints(plot: uPlot, { xs, ys }: Layer): void {
  const isDense = xs.length > DENSE;
  const size = (isDense ? 2 : 5) * devicePixelRatio;
  plot.ctx.globalAlpha = isDense ? 0.35 : 0.7;
  for (const [at, x] of xs.entries()) {
    const left = plot.valToPos(x, 'x', true);
    const top = plot.valToPos(ys[at] ?? NaN, 'y', true);
    plot.ctx.fillRect(left - size / 2, top - size / 2, size, size);
  }
  plot.ctx.globalAlpha = 1;
}

function paintLine(plot: uPlot, { xs, ys, kind }: Layer): void {
  const { ctx } = plot;
  ctx.lineWidth = 2 * devicePixelRatio;
  ctx.setLineDash(kind === 'dashed' ? [6 * devicePixelRatio, 4 * devicePixelRatio] : []);
  ctx.beginPath();
  // A value that is not a number leaves a gap.
  let isOpen = false;
  for (const [at, x] of xs.entries()) {
    const y = ys[at] ?? NaN;
    const [left, top] = [plot.valToPos(x, 'x', true), plot.valToPos(y, 'y', true)];
    if (isOpen && !Number.isNaN(y)) ctx.lineTo(left, top);
    else ctx.moveTo(left, top);
    isOpen = !Number.isNaN(y);
  }
  ctx.stroke();
  ctx.setLineDash([]);
}

/**
 * The point nearest to a position of the plotting area, in CSS pixels. If only lines are drawn, a point of a line. Null
 * if none is near.
 */
export function nearest(
  plot: uPlot,
  layers: readonly Layer[],
  left: number,
  top: number,
): { layer: Layer; at: number } | null {
  let found: { layer: Layer; at: number } | null = null;
  let least = REACH ** 2;
  const kind = layers.some((layer) => layer.kind === 'points') ? 'points' : 'line';
  for (const layer of layers) {
    if (layer.kind !== kind) continue;
    for (const [at, x] of layer.xs.entries()) {
      const dx = plot.valToPos(x, 'x') - left;
      if (dx * dx >= least) continue;
      const dy = plot.valToPos(layer.ys[at] ?? NaN, 'y') - top;
      const distance = dx * dx + dy * dy;
      if (distance < least) {
        least = distance;
        found = { layer, at };
      }
    }
  }
  return found;
}
