import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

/** Colours by meaning; light first, then dark. Pages and files have them as CSS variables, so that one SVG serves both. */
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

/** Declares the colours on an element, dark where the reader's system is, but not on paper. */
export const paletteCss = (selector: string): string =>
  `${selector}{${variables(0)}}@media screen and (prefers-color-scheme:dark){${selector}{${variables(1)}}}`;

/** A chart as one SVG element with a name for people who do not see it. Same input, same text. */
export function chart(name: string, options: Plot.PlotOptions): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const drawn = Plot.plot({ document, className: 'chart', ariaLabel: name, ...options });
  drawn.setAttribute('role', 'img');
  // Plot counts its clipping areas over the whole process; a page needs them unique, and the same every time.
  const areas = new Map<string, string>();
  const prefix = name.replaceAll(/[^A-Za-z0-9]+/g, '-');
  return drawn.outerHTML.replaceAll(/plot-clip-\d+/g, (id) => {
    const own = areas.get(id) ?? `${prefix}-${areas.size + 1}`;
    areas.set(id, own);
    return own;
  });
}

/** The same as the text of a file of its own. */
export function chartFile(svg: string): string {
  const style = `${paletteCss('svg.chart')}svg.chart{background:var(--paper);color:var(--ink);font-family:system-ui,sans-serif}`;
  return svg.replace(/>/, ` xmlns="http://www.w3.org/2000/svg"><style>${style}</style>`);
}
