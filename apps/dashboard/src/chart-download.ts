import type uPlot from 'uplot';
import type { Layer } from './chart-paint.js';
import { type Frame, legendHeight, legendRows, type Palette, svgOf, type Tick } from './chart-svg.js';
import { saveBlob } from './download.js';

/** A figure that is on the screen. */
export interface Figure {
  readonly plot: uPlot;
  readonly layers: readonly Layer[];
  readonly palette: Palette;
  readonly title: string;
  readonly names: Frame['names'];
  readonly ticks: { readonly x: readonly Tick[]; readonly y: readonly Tick[] };
}

export function saveSvg(figure: Figure): void {
  const svg = svgOf(frameOf(figure), figure.layers, figure.palette, figure.title);
  saveBlob(new Blob([svg], { type: 'image/svg+xml' }), `${fileName(figure)}.svg`);
}

/** The painted canvas with its legend and the background of the page. */
export async function savePng(figure: Figure): Promise<void> {
  const { plot, layers, palette } = figure;
  const source = plot.ctx.canvas;
  const scale = source.width / plot.width;
  const above = legendHeight(layers, plot.width);
  const canvas = new OffscreenCanvas(source.width, source.height + above * scale);
  const ctx = canvas.getContext('2d');
  if (ctx === null) throw new Error('This browser cannot draw the figure.');
  ctx.fillStyle = palette.background;
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  ctx.drawImage(source, 0, above * scale);
  ctx.scale(scale, scale);
  ctx.font = '12px system-ui, sans-serif';
  for (const { layer, left, row } of legendRows(layers, plot.width)) {
    const middle = row * 20 + 12;
    ctx.fillStyle = palette.colorOf(layer.color);
    if (layer.kind === 'points') ctx.fillRect(left + 4, middle - 4, 8, 8);
    else ctx.fillRect(left, middle - 1, 16, 2);
    ctx.fillStyle = palette.ink;
    ctx.fillText(layer.name, left + 20, middle + 4);
  }
  saveBlob(await canvas.convertToBlob({ type: 'image/png' }), `${fileName(figure)}.png`);
}

function frameOf({ plot, names, ticks }: Figure): Frame {
  const { left, top, width, height } = plot.bbox;
  const scale = plot.ctx.canvas.width / plot.width;
  const area = { left: left / scale, top: top / scale, width: width / scale, height: height / scale };
  return {
    ...{ width: plot.width, height: plot.height, area, names, ticks },
    placeOf: (value, axis) => plot.valToPos(value, axis) + (axis === 'x' ? area.left : area.top),
  };
}

function fileName({ title }: Figure): string {
  const words = title.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, '-');
  return words.replaceAll(/^-|-$/g, '').slice(0, 80);
}
