import { CONV_SPEC_DEFAULTS, type ConvSpec, specKey } from '@alphaflops/conv';
import * as Plot from '@observablehq/plot';
import { median } from 'simple-statistics';
import { chart, colour } from './chart.js';
import type { Curve, Measured } from './curves.js';
import type { Experiment } from './experiments.js';
import { grouped } from './grouped.js';

/** A smaller step between neighbours counts as noise. Repeated measurements of one shape differ by less than this. */
const STEP = 0.03;
const WIDTH = 980;
const ROW_HEIGHT = 220;

/** The results of an experiment on this device. */
export interface Finding {
  readonly id: string;
  readonly planned: number;
  readonly measured: number;
  /** Median of eager time over device time; null without eager times. */
  readonly eagerOverDevice: number | null;
  /** Per curve: median absolute percentage error, and median of predicted over measured. */
  readonly errors: readonly {
    readonly name: string;
    readonly medianApe: number;
    readonly medianRatio: number;
  }[];
  readonly steps: Steps;
  readonly eagerSteps: Steps | null;
}

/** Changes of the time between neighbouring points of the axis, counting steps of more than 3 %. */
export interface Steps {
  readonly count: number;
  readonly up: number;
  readonly down: number;
  /** Largest increase and decrease, relative to the time of the previous point. */
  readonly largestUp: number;
  readonly largestDown: number;
}

export interface Figure {
  readonly experiment: Experiment;
  readonly finding: Finding;
  readonly svg: string;
}

interface Row {
  readonly spec: ConvSpec;
  readonly x: number;
  readonly curve: string;
  readonly timeMs: number;
  readonly eagerMs: number | null;
}

/** Draws an experiment from measurements. Returns null when none of its convolutions was measured. */
export function figure(
  experiment: Experiment,
  times: ReadonlyMap<string, Measured>,
  curves: readonly Curve[],
): Figure | null {
  const rows = experiment.points
    .flatMap(({ spec, x, curve }): Row[] => {
      const found = times.get(shapeKey(spec));
      return found ? [{ spec: found.spec, x, curve, timeMs: found.timeMs, eagerMs: found.eagerMs }] : [];
    })
    .sort((a, b) => a.x - b.x);
  if (rows.length === 0) return null;
  return { experiment, finding: findingOf(experiment, rows, curves), svg: drawing(experiment, rows, curves) };
}

/** Returns the median measurement of each shape. Uses only the most frequent element type. */
export function byShape(measured: readonly Measured[]): ReadonlyMap<string, Measured> {
  const byDtype = [...grouped(measured, ({ spec }) => spec.dtype).values()];
  const [most = []] = byDtype.sort((a, b) => b.length - a.length);
  const groups = grouped(most, ({ spec }) => shapeKey(spec));
  return new Map(
    [...groups].map(([key, all]) => {
      const eager = all.flatMap(({ eagerMs }) => (eagerMs === null ? [] : [eagerMs]));
      const { spec } = all[0] as Measured;
      const eagerMs = eager.length === 0 ? null : median(eager);
      return [key, { spec, timeMs: median(all.map(({ timeMs }) => timeMs)), eagerMs }];
    }),
  );
}

const shapeKey = (spec: ConvSpec): string =>
  specKey({ ...spec, dtype: CONV_SPEC_DEFAULTS.dtype, padding: CONV_SPEC_DEFAULTS.padding, layout: CONV_SPEC_DEFAULTS.layout }); // prettier-ignore

function findingOf(experiment: Experiment, rows: readonly Row[], curves: readonly Curve[]): Finding {
  const eager = rows.flatMap(({ timeMs, eagerMs }) => (eagerMs === null ? [] : [eagerMs / timeMs]));
  return {
    id: experiment.id,
    planned: experiment.points.length,
    measured: rows.length,
    eagerOverDevice: eager.length === 0 ? null : median(eager),
    errors: curves.map(({ name, timeMs }) => {
      const ratios = rows.map((row) => timeMs(row.spec) / row.timeMs);
      return { name, medianApe: median(ratios.map((r) => Math.abs(r - 1))), medianRatio: median(ratios) };
    }),
    steps: stepsOf(rows, ({ timeMs }) => timeMs),
    eagerSteps: eager.length < rows.length ? null : stepsOf(rows, ({ eagerMs }) => eagerMs ?? NaN),
  };
}

function stepsOf(rows: readonly Row[], time: (row: Row) => number): Steps {
  const changes = [...grouped(rows, ({ curve }) => curve).values()].flatMap((curve) =>
    curve.slice(1).map((row, at) => time(row) / time(curve[at] as Row) - 1),
  );
  return {
    count: changes.length,
    up: changes.filter((change) => change > STEP).length,
    down: changes.filter((change) => change < -STEP).length,
    largestUp: Math.max(0, ...changes),
    largestDown: Math.max(0, ...changes.map((change) => -change)),
  };
}

const CLOCKS = { device: 'device time', eager: 'eager time' } as const;

function drawing(
  { title, xLabel, isLogarithmic, points }: Experiment,
  rows: readonly Row[],
  curves: readonly Curve[],
): string {
  const withEager = rows.some(({ eagerMs }) => eagerMs !== null);
  const clocks = withEager ? [CLOCKS.device, CLOCKS.eager] : [CLOCKS.device];
  const present = new Set(rows.map(({ curve }) => curve));
  const names = [...new Set(points.map(({ curve }) => curve))].filter((name) => present.has(name));
  const top = 1.1 * Math.max(...rows.map(({ timeMs, eagerMs }) => Math.max(timeMs, eagerMs ?? 0)));
  const bottom = Math.min(...rows.map(({ timeMs }) => timeMs)) / 1.5;
  const dots = rows.flatMap(({ x, curve, timeMs, eagerMs }) => [
    { x, curve, ms: timeMs, clock: CLOCKS.device },
    ...(eagerMs === null ? [] : [{ x, curve, ms: eagerMs, clock: CLOCKS.eager }]),
  ]);
  const facet = { fx: 'curve', fy: 'clock' };
  return chart(title, {
    width: WIDTH,
    height: 70 + ROW_HEIGHT * clocks.length,
    marginLeft: 56,
    marginRight: withEager ? 74 : 20,
    marginBottom: 38,
    fx: { domain: names, label: null },
    fy: { domain: clocks, label: null, axis: withEager ? 'right' : null },
    x: {
      label: xLabel,
      type: isLogarithmic ? 'log' : 'linear',
      ticks: 4,
      tickFormat: isLogarithmic ? '~s' : undefined,
    },
    y: {
      label: 'ms',
      grid: true,
      ...(isLogarithmic
        ? { type: 'log', domain: [bottom, top], ticks: 4, tickFormat: '~g' }
        : { domain: [0, top] }),
    },
    marks: [
      Plot.frame({ stroke: colour('rule') }),
      Plot.dot(dots, {
        ...facet,
        x: 'x',
        y: 'ms',
        r: rows.length > 400 ? 0.9 : 1.8,
        fill: colour('measured'),
      }),
      ...curves.map((curve) =>
        Plot.line(
          clocks.flatMap((clock) =>
            rows.map((row) => ({ x: row.x, curve: row.curve, clock, ms: curve.timeMs(row.spec) })),
          ),
          {
            ...facet,
            ...{ x: 'x', y: 'ms', clip: true, strokeWidth: 1.4 },
            stroke: colour(curve.colour),
            ...(curve.dash !== undefined && { strokeDasharray: curve.dash }),
          },
        ),
      ),
    ],
  });
}
