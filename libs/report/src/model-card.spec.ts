import { CONV_SPEC_DEFAULTS, macs, type ConvSpec } from '@alphaflops/conv';
import { fitModel } from '@alphaflops/models';
import { modelCard } from './model-card.js';
import { svgPlot } from './svg-plot.js';

const law = (spec: ConvSpec): number => 0.02 + macs(spec) / 1e8;
let state = 1;
/** Returns integers that are uniform on a logarithmic scale. */
const draw = (low: number, high: number): number => {
  state = (Math.imul(state, 1103515245) + 12345) >>> 0;
  return Math.round(low * (high / low) ** (state / 2 ** 32));
};
const samples = Array.from({ length: 120 }, (_, i) => {
  const [size, kernel] = [draw(1, 300), i % 2 === 0 ? 1 : 3];
  const spec = {
    ...CONV_SPEC_DEFAULTS,
    ...{ height: size, width: size, kernel_h: kernel, kernel_w: kernel },
    ...{ cin: draw(8, 1024), cout: draw(8, 1024) },
  };
  const noise = draw(900, 1100) / 1000;
  return { spec, timeMs: law(spec) * noise * (i === 17 ? 50 : 1) };
});
const model = fitModel(samples, {
  form: 'alpha-latency',
  origin: {
    digest: 'sha256:1',
    codeVersion: '0',
    createdAt: '2026-01-01T00:00:00Z',
    deviceClassId: 'a-device',
  },
});

describe('the model card', () => {
  const card = modelCard(model);

  it('shows errors of all forms, parameters, domain and limits', () => {
    for (const text of ['a-device', '| alpha-latency |', '## Parameters of alpha', '| cin |', '## Limits']) {
      expect(card).toContain(text);
    }
  });

  it('lists the shapes with the largest errors, largest first', () => {
    const rows = card.split('\n').filter((line) => line.startsWith('| b1-h'));
    expect(rows).toHaveLength(20);
    const factors = rows.map((row) => Math.abs(Math.log(Number(row.split('|')[4]))));
    // The card shows three digits.
    factors.slice(1).forEach((factor, k) => {
      expect(factor).toBeLessThan((factors[k] ?? NaN) + 0.006);
    });
    expect(factors[0]).toBeGreaterThan(Math.log(30));
  });

  it('draws every kept held-out prediction, and α along the axes that vary', () => {
    expect(card.match(/<circle/g)).toHaveLength(model.heldOut?.points.length ?? NaN);
    const [, response] = card.match(/<svg.*<\/svg>/g) ?? [];
    for (const axis of ['size', 'cin', 'cout']) expect(response).toContain(`>${axis}</text>`);
    expect(response).not.toContain('>batch</text>');
  });

  it('works without fields that older documents lack', () => {
    const older = structuredClone(model);
    delete older.heldOut;
    delete older.neighbours;
    expect(modelCard(older)).not.toContain('<svg');
    expect(modelCard(older)).toContain('## Parameters of alpha');
  });
});

it('shows the energy and the excluded samples, if the model has them', () => {
  const withEnergy = samples.map((sample, i) => ({
    ...sample,
    energyMillijoules: i < 60 ? 100 * law(sample.spec) + 1e-6 * macs(sample.spec) : null,
  }));
  const origin = { digest: '', codeVersion: '0', createdAt: '2026-01-01T00:00:00Z', excluded: { noisy: 3 } };
  const card = modelCard(fitModel(withEnergy, { device: { smCount: 20 }, origin }));
  expect(card).toContain('**Left out**: 3 noisy');
  expect(card).toMatch(
    /## Energy[^]*60 samples of 60 shapes[^]*\| alpha-latency \|[^]*mJ per million multiply-adds/,
  );
});

describe('a plot', () => {
  const axis = { label: 'a < b & "c"', min: 1, max: 100 };

  it('places points on a logarithmic scale and clips them', () => {
    const svg = svgPlot('t', axis, axis, [{ name: 'n', drawn: 'dots', points: [[1, 1], [10, 10], [1e9, 1e-9]] }]); // prettier-ignore
    const [low, middle, high] = [...svg.matchAll(/cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [
      Number(x),
      Number(y),
    ]);
    expect(middle?.[0]).toBeCloseTo(((low?.[0] ?? NaN) + (high?.[0] ?? NaN)) / 2, 1);
    expect(high?.[1]).toBe(low?.[1]);
    expect(svg).not.toMatch(/NaN|Infinity/);
  });

  it('escapes its labels', () => {
    expect(svgPlot('t', axis, axis, [])).toContain('a &lt; b &amp; &quot;c&quot;');
  });
});
