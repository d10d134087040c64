import { type RefObject, useEffect, useMemo, useRef, useState } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { type Figure, savePng, saveSvg } from './chart-download.js';
import { type Layer, nearest, paint, rangeOf } from './chart-paint.js';
import type { Tick } from './chart-svg.js';
import { logTicks } from './chart-ticks.js';
import { count, scaled, significant } from './format.js';
import { useShownTheme } from './theme.js';

export interface ChartProps {
  /** Description of the figure for screen readers. */
  readonly label: string;
  /** With units. */
  readonly x: string;
  readonly y: string;
  readonly log?: 'both' | 'y' | 'none';
  /** Keep the same array while the data do not change: another array is drawn again. */
  readonly layers: readonly Layer[];
  readonly height?: number;
}

/** uPlot declares these values as an ambient enum, which cannot be imported. */
const DISTRIBUTION: Readonly<Record<'linear' | 'log', object>> = { linear: { distr: 1 }, log: { distr: 3 } };
const AXIS_FONT = '12px system-ui, sans-serif';

/** Points and lines over two axes. The text below describes the point nearest to the pointer. */
export function Chart({ label, x, y, log = 'both', layers, height = 300 }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [near, setNear] = useState('');
  const figure = useRef<Figure | null>(null);
  const theme = useShownTheme();
  const ranges = useMemo(
    () => ({ x: rangeOf(layers, 'xs', log === 'both'), y: rangeOf(layers, 'ys', log !== 'none') }),
    [layers, log],
  );

  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => {
      setWidth(Math.floor(element.clientWidth));
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
    };
  }, []);

  useEffect(() => {
    const element = place.current;
    const { x: xRange, y: yRange } = ranges;
    if (element === null || width === 0 || xRange === null || yRange === null) return;
    const colorOf = (name: string) => colorIn(element, name);
    const ticks: { x: Tick[]; y: Tick[] } = { x: [], y: [] };
    const axis = (name: 'x' | 'y', text: string, isLog: boolean): uPlot.Axis => ({
      label: text,
      labelSize: 22,
      labelFont: AXIS_FONT,
      font: AXIS_FONT,
      size: 34,
      // uPlot's own marks of a logarithmic axis are wrong if the range does not begin with a power of ten.
      ...(isLog && {
        splits: (_: uPlot, __: number, min: number, max: number) => logTicks(min, max),
        filter: all,
      }),
      stroke: colorOf('--muted'),
      grid: { stroke: colorOf('--grid'), width: 1, ...(isLog && { filter: all }) },
      ticks: { stroke: colorOf('--grid'), width: 1, ...(isLog && { filter: all }) },
      values: (_, splits) => {
        const texts = splits.map((value: number | null) => (value === null ? '' : tick(value)));
        ticks[name] = splits.flatMap((value, at) => (texts[at] ? [{ value, text: texts[at] }] : []));
        return texts;
      },
    });
    const scale = ([min, max]: readonly [number, number], isLog: boolean): uPlot.Scale => ({
      time: false,
      ...DISTRIBUTION[isLog ? 'log' : 'linear'],
      range: () => [min, max],
    });
    const plot = new uPlot(
      {
        width,
        height,
        scales: { x: scale(xRange, log === 'both'), y: scale(yRange, log !== 'none') },
        axes: [axis('x', x, log === 'both'), { ...axis('y', y, log !== 'none'), size: 58 }],
        // uPlot draws scales and axes. This module paints the contents, in one pass over all points.
        series: [{}, { show: true, points: { show: false } }],
        legend: { show: false },
        cursor: { drag: { x: false, y: false, setScale: false }, points: { show: false } },
        hooks: {
          draw: [
            (drawn) => {
              paint(drawn, layers, colorOf);
            },
          ],
          setCursor: [
            ({ cursor: { left = -1, top = -1 } }) => {
              const found = left < 0 ? null : nearest(plot, layers, left, top);
              setNear(found === null ? '' : words(found.layer, found.at));
            },
          ],
        },
      },
      [
        [xRange[0], xRange[1]],
        [null, null],
      ],
      element,
    );
    figure.current = {
      ...{ plot, layers, ticks, title: label, names: { x, y } },
      palette: {
        colorOf,
        ink: colorOf('--ink'),
        muted: colorOf('--muted'),
        grid: colorOf('--grid'),
        background: colorOf('--surface'),
      },
    };
    return () => {
      figure.current = null;
      plot.destroy();
    };
  }, [layers, ranges, width, height, theme, log, label, x, y]);

  const points = layers.reduce((sum, { kind, xs }) => sum + (kind === 'points' ? xs.length : 0), 0);
  const hasLines = layers.some(({ kind }) => kind !== 'points');
  const rest = points === 0 ? (hasLines ? '' : 'nothing measured') : `${count(points)} points`;
  return (
    <figure className="chart" data-points={points}>
      <Legend layers={layers} />
      <div
        ref={place}
        className="plot"
        role="img"
        aria-label={`${label}: ${y} against ${x}, ${count(points)} points`}
        style={{ minHeight: height }}
      />
      <figcaption>
        <span>{near === '' ? rest : near}</span>
        {(points > 0 || hasLines) && <Save figure={figure} label={label} />}
      </figcaption>
    </figure>
  );
}

/** Buttons that save a figure as a file. */
function Save({ figure, label }: { figure: RefObject<Figure | null>; label: string }) {
  const [trouble, setTrouble] = useState('');
  const save = (as: (drawn: Figure) => void | Promise<void>) => {
    if (figure.current === null) return;
    Promise.resolve(as(figure.current)).then(
      () => {
        setTrouble('');
      },
      (error: unknown) => {
        setTrouble(error instanceof Error ? error.message : String(error));
      },
    );
  };
  return (
    <span className="save">
      {trouble}
      {(
        [
          ['PNG', savePng],
          ['SVG', saveSvg],
        ] as const
      ).map(([format, as]) => (
        <button
          key={format}
          type="button"
          className="quiet"
          aria-label={`Save “${label}” as ${format}`}
          onClick={() => {
            save(as);
          }}
        >
          {format}
        </button>
      ))}
    </span>
  );
}

function Legend({ layers }: { layers: readonly Layer[] }) {
  return (
    <ul className="legend" aria-label="Legend">
      {layers
        .filter(({ isExtra }) => isExtra !== true)
        .map(({ name, kind, color }) => (
          <li key={name}>
            <span className={`swatch ${kind}`} style={{ color: `var(${color})` }} aria-hidden="true" />
            {name}
          </li>
        ))}
    </ul>
  );
}

function words({ name, xs, ys, describe }: Layer, at: number): string {
  const pair = `${significant(xs[at] ?? NaN)} · ${significant(ys[at] ?? NaN)}`;
  return describe === undefined ? `${name}: ${pair}` : `${name}: ${describe(at)}`;
}

function tick(value: number): string {
  return Math.abs(value) >= 10_000 ? scaled(value) : significant(value, 3);
}

/** uPlot would leave out values that are not powers of ten. */
function all(_: uPlot, splits: number[]): number[] {
  return splits;
}

/** The colour of a custom property in a form for the canvas. */
function colorIn(element: HTMLElement, name: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
