import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

/**
 * Colours by meaning: light first, then dark. Pages and files define them as CSS variables, so that one SVG serves
 * both.
 */
const PALETTE = {
  ink: ['#1d2430', '#e4e7ec'],
  paper: ['#ffffff', '#14181f'],
  rule: ['#d5dae1', '#343b47'],
  measured: ['#1769aa', '#6ab7f5'],
  published: ['#b3261e', '#ff8a80'],
  replicated: ['#8a6100', '#e6b84c'],
  refitted: ['#7b3fa0', '#cf9df0'],
  model: ['#1f7a3d', '#6fd08c'],
} as const;
export type Colour = keyof typeof PALETTE;

export const colour = (name: Colour): string => `var(--${name})`;

const variables = (mode: 0 | 1): string =>
  Object.entries(PALETTE)
    .map(([name, colours]) => `--${name}:${colours[mode]}`)
    .join(';');

/**
 * Returns the CSS that declares the colours on an element. They follow the dark mode of the reader's system, except
 * in print.
 */
export const paletteCss = (selector: string): string =>
  `${selector}{${variables(0)}}@media screen and (prefers-color-scheme:dark){${selector}{${variables(1)}}}`;

/** Returns a chart as one SVG element with a name for screen readers. The same input gives the same text. */
export function chart(name: string, options: Plot.PlotOptions): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const drawn = Plot.plot({ document, className: 'chart', ariaLabel: name, ...options });
  drawn.setAttribute('role', 'img');
  // Plot numbers its clipping areas per process. The ids of a page must be unique, and the same in every run.
  const areas = new Map<string, string>();
  const prefix = name.replaceAll(/[^A-Za-z0-9]+/g, '-');
  return drawn.outerHTML.replaceAll(/plot-clip-\d+/g, (id) => {
    const own = areas.get(id) ?? `${prefix}-${areas.size + 1}`;
    areas.set(id, own);
    return own;
  });
}

/** Returns the chart as the text of a separate SVG file. */
export function chartFile(svg: string): string {
  const style = `${paletteCss('svg.chart')}svg.chart{background:var(--paper);color:var(--ink);font-family:system-ui,sans-serif}`;
  return svg.replace(/>/, ` xmlns="http://www.w3.org/2000/svg"><style>${style}</style>`);
}
