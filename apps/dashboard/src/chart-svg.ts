import type { Layer } from './chart-paint.js';

/** A mark of an axis: position and text. */
export interface Tick {
  readonly value: number;
  readonly text: string;
}

/** Layout of a figure in CSS pixels. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  /** The area that the axes enclose. */
  readonly area: {
    readonly left: number;
    readonly top: number;
    readonly width: number;
    readonly height: number;
  };
  /** Position of a value, from the left or the top edge of the figure. */
  readonly placeOf: (value: number, axis: 'x' | 'y') => number;
  readonly ticks: { readonly x: readonly Tick[]; readonly y: readonly Tick[] };
  /** Names of the axes, with units. */
  readonly names: { readonly x: string; readonly y: string };
}

/** Colours in CSS syntax. */
export interface Palette {
  readonly colorOf: (property: string) => string;
  readonly ink: string;
  readonly muted: string;
  readonly grid: string;
  readonly background: string;
}

const LEGEND_LINE = 20;
const CHARACTER = 7;
const FONT = 'font-family="system-ui, sans-serif" font-size="12"';

/** Rows of legend entries that fit into the width: name, colour, and where the entry begins. */
export function legendRows(
  layers: readonly Layer[],
  width: number,
): { readonly layer: Layer; readonly left: number; readonly row: number }[] {
  let left = 12;
  let row = 0;
  return layers
    .filter(({ isExtra }) => isExtra !== true)
    .map((layer) => {
      const needed = 24 + layer.name.length * CHARACTER;
      if (left > 12 && left + needed > width) {
        left = 12;
        row += 1;
      }
      const entry = { layer, left, row };
      left += needed + 12;
      return entry;
    });
}

/** Height of the legend above a figure. */
export function legendHeight(layers: readonly Layer[], width: number): number {
  const last = legendRows(layers, width).at(-1);
  return last === undefined ? 0 : (last.row + 1) * LEGEND_LINE + 4;
}

/** The figure as a self-contained SVG document, drawn from the same data as the canvas. */
export function svgOf(frame: Frame, layers: readonly Layer[], palette: Palette, title: string): string {
  const above = legendHeight(layers, frame.width);
  const { width, height, area } = frame;
  const clip = `<clipPath id="area"><rect x="${area.left}" y="${area.top}" width="${area.width}" height="${area.height}"/></clipPath>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height + above}" viewBox="0 0 ${width} ${height + above}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="100%" height="100%" fill="${palette.background}"/>`,
    ...legend(layers, width, palette),
    `<g transform="translate(0 ${above})" ${FONT} fill="${palette.muted}">`,
    `<defs>${clip}</defs>`,
    ...axes(frame, palette),
    '<g clip-path="url(#area)">',
    ...layers.map((layer) => drawn(frame, layer, palette.colorOf(layer.color))),
    '</g></g></svg>',
    '',
  ].join('\n');
}

function legend(layers: readonly Layer[], width: number, { colorOf, ink }: Palette): string[] {
  return legendRows(layers, width).map(({ layer, left, row }) => {
    const middle = row * LEGEND_LINE + 12;
    const mark =
      layer.kind === 'points'
        ? `<rect x="${left + 4}" y="${middle - 4}" width="8" height="8" fill="${colorOf(layer.color)}"/>`
        : `<path d="M${left} ${middle}h16" stroke="${colorOf(layer.color)}" stroke-width="2"${dashes(layer)}/>`;
    return `${mark}<text x="${left + 20}" y="${middle + 4}" ${FONT} fill="${ink}">${escaped(layer.name)}</text>`;
  });
}

function axes({ area, height, placeOf, ticks, names }: Frame, { grid }: Palette): string[] {
  const bottom = area.top + area.height;
  const right = area.left + area.width;
  const xs = ticks.x.map(({ value, text }) => {
    const x = rounded(placeOf(value, 'x'));
    return `<path d="M${x} ${area.top}V${bottom}" stroke="${grid}"/><text x="${x}" y="${bottom + 17}" text-anchor="middle">${escaped(text)}</text>`;
  });
  const ys = ticks.y.map(({ value, text }) => {
    const y = rounded(placeOf(value, 'y'));
    return `<path d="M${area.left} ${y}H${right}" stroke="${grid}"/><text x="${area.left - 6}" y="${y + 4}" text-anchor="end">${escaped(text)}</text>`;
  });
  const middle = area.top + area.height / 2;
  return [
    ...xs,
    ...ys,
    `<text x="${area.left + area.width / 2}" y="${height - 6}" text-anchor="middle">${escaped(names.x)}</text>`,
    `<text transform="translate(12 ${middle}) rotate(-90)" text-anchor="middle">${escaped(names.y)}</text>`,
  ];
}

/** One element for a whole layer with any number of points. */
function drawn({ placeOf }: Frame, layer: Layer, color: string): string {
  const { kind, xs, ys } = layer;
  let path = '';
  let isOpen = false;
  for (const [at, value] of xs.entries()) {
    const x = placeOf(value, 'x');
    const y = placeOf(ys[at] ?? NaN, 'y');
    if (!Number.isFinite(x) || !Number.isFinite(y)) {
      isOpen = false;
      continue;
    }
    if (kind === 'points') path += `M${rounded(x)} ${rounded(y)}h0`;
    else path += `${isOpen ? 'L' : 'M'}${rounded(x)} ${rounded(y)}`;
    isOpen = true;
  }
  return kind === 'points'
    ? `<path d="${path}" stroke="${color}" stroke-width="4" stroke-linecap="round" stroke-opacity="0.6" fill="none"/>`
    : `<path d="${path}" stroke="${color}" stroke-width="2" fill="none"${dashes(layer)}/>`;
}

function dashes({ kind }: Layer): string {
  return kind === 'dashed' ? ' stroke-dasharray="6 4"' : '';
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
