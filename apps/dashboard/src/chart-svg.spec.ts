import type { Layer } from './chart-paint.js';
import { type Frame, legendHeight, legendRows, svgOf } from './chart-svg.js';

const frame: Frame = {
  width: 400,
  height: 200,
  area: { left: 50, top: 10, width: 340, height: 140 },
  placeOf: (value, axis) => (axis === 'x' ? 50 + value : 150 - value),
  ticks: { x: [{ value: 100, text: '100' }], y: [{ value: 0, text: '0' }] },
  names: { x: 'size, pixels', y: 'time, ms' },
};
const palette = {
  colorOf: (property: string) => (property === '--series-1' ? 'rgb(1, 2, 3)' : 'rgb(9, 9, 9)'),
  ...{ ink: 'black', muted: 'gray', grid: 'silver', background: 'white' },
};
const line = (changes: Partial<Layer> = {}): Layer => ({
  ...{ kind: 'line', name: 'H100 <cudnn>', color: '--series-1', xs: [0, 10, 20, 30], ys: [1, 2, NaN, 4] },
  ...changes,
});

describe('svgOf', () => {
  it('draws each layer as one path in its colour, with a gap where a value is missing', () => {
    const svg = svgOf(frame, [line()], palette, 'α & size');
    expect(svg).toContain('d="M50 149L60 148M80 146" stroke="rgb(1, 2, 3)"');
    expect(svg).toContain('<title>α &amp; size</title>');
    expect(svg).toContain('H100 &lt;cudnn&gt;');
    expect(svg.match(/size, pixels|time, ms/g)).toHaveLength(2);
    expect(svg).not.toContain('NaN');
  });

  it('draws 100,000 points as one path', () => {
    const xs = Array.from({ length: 100_000 }, (_, at) => at % 340);
    const svg = svgOf(frame, [line({ kind: 'points', xs, ys: xs.map((x) => x / 3) })], palette, 'many');
    expect(svg.match(/<path/g)?.length).toBeLessThan(10);
    expect(svg.match(/h0/g)).toHaveLength(100_000);
  });

  it('is well-formed XML without references to anything outside of it', () => {
    const whole = svgOf(frame, [line(), line({ kind: 'dashed', color: '--x' })], palette, '"quoted"');
    const svg = whole.replace('xmlns="http://www.w3.org/2000/svg"', '');
    expect(svg.match(/<\w+[^>/]*>/g)?.length).toBe(svg.match(/<\/\w+>/g)?.length);
    expect(svg).not.toContain('http');
  });
});

describe('the legend', () => {
  it('wraps, and leaves out what repeats another layer', () => {
    const names = ['a'.repeat(30), 'b'.repeat(30), 'c'];
    const layers = [...names.map((name) => line({ name })), line({ name: 'extra', isExtra: true })];
    expect(legendRows(layers, 400).map(({ row }) => row)).toEqual([0, 1, 1]);
    expect(legendHeight(layers, 400)).toBe(44);
    expect(legendHeight([], 400)).toBe(0);
  });
});
