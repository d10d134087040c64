import { log, pow } from '@alphaflops/elementary';

/** One axis of a plot. Values are drawn on a logarithmic scale and clipped to the range. */
export interface PlotAxis {
  readonly label: string;
  readonly min: number;
  readonly max: number;
}

export interface PlotSeries {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Draws the points as a line or as dots. */
  readonly drawn: 'line' | 'dots';
}

const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT] = [560, 300, 56, 40, 12, 110];
const COLOURS = ['#0b6e99', '#c2571a', '#3d7a3d', '#7a4b94'];

/** Returns a small plot with logarithmic axes as one SVG element. The same input gives the same text. */
export function svgPlot(title: string, x: PlotAxis, y: PlotAxis, series: readonly PlotSeries[]): string {
  const place = ({ min, max }: PlotAxis, value: number): number => {
    const share = log(value / min) / log(max / min);
    return Math.min(Math.max(share, 0), 1);
  };
  const atX = (value: number) => (LEFT + place(x, value) * (WIDTH - LEFT - RIGHT)).toFixed(1);
  const atY = (value: number) => (HEIGHT - BOTTOM - place(y, value) * (HEIGHT - BOTTOM - TOP)).toFixed(1);
  const grid = [
    ...ticks(x).map(
      (value) =>
        `<path d="M${atX(value)} ${TOP}V${HEIGHT - BOTTOM}" stroke="#ddd"/>` +
        `<text x="${atX(value)}" y="${HEIGHT - BOTTOM + 15}" text-anchor="middle">${short(value)}</text>`,
    ),
    ...ticks(y).map(
      (value) =>
        `<path d="M${LEFT} ${atY(value)}H${WIDTH - RIGHT}" stroke="#ddd"/>` +
        `<text x="${LEFT - 6}" y="${Number(atY(value)) + 4}" text-anchor="end">${short(value)}</text>`,
    ),
  ];
  const drawn = series.map(({ name, points, drawn: how }, k) => {
    const colour = COLOURS[k % COLOURS.length] ?? '';
    const key = `<text x="${WIDTH - RIGHT + 8}" y="${TOP + 12 + 16 * k}" fill="${colour}">${escaped(name)}</text>`;
    if (how === 'line') {
      const path = points.map(([px, py], i) => `${i === 0 ? 'M' : 'L'}${atX(px)} ${atY(py)}`).join('');
      return `${key}<path d="${path}" fill="none" stroke="${colour}" stroke-width="1.5"/>`;
    }
    const dots = points.map(([px, py]) => `<circle cx="${atX(px)}" cy="${atY(py)}" r="1.6"/>`).join('');
    return `${key}<g fill="${colour}" fill-opacity="0.5">${dots}</g>`;
  });
  const labels =
    `<text x="${(WIDTH + LEFT - RIGHT) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${escaped(x.label)}</text>` +
    `<text transform="translate(12 ${(HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">${escaped(y.label)}</text>`;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="11" role="img">` +
    `<title>${escaped(title)}</title><rect width="100%" height="100%" fill="#fff"/>` +
    `${grid.join('')}${labels}${drawn.join('')}</svg>`
  );
}

/** Returns the powers of ten inside the range, or the powers of two if it contains fewer than two powers of ten. */
function ticks({ min, max }: PlotAxis): number[] {
  const powers = (base: number): number[] => {
    const first = Math.ceil(log(min) / log(base) - 1e-9);
    const last = Math.floor(log(max) / log(base) + 1e-9);
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, k) => pow(base, first + k));
  };
  const tens = powers(10);
  return tens.length >= 2 ? tens : powers(2);
}

const short = (value: number): string => String(Number(value.toPrecision(3)));

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
