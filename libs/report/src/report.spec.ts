import { CONV_SPEC_DEFAULTS, type ConvSpec, macs } from '@alphaflops/conv';
import { fitModel } from '@alphaflops/models';
import { PAPER_SERIES, plan } from '@alphaflops/planning';
import { experiments } from './experiments.js';
import { chartFile, type Measured, modelPage, replicate, replicationPage } from './index.js';

const EAGER_MS = 0.02;
const timeMs = (spec: ConvSpec): number => 0.01 + macs(spec) / 1e9;
const measuredOf = (specs: readonly ConvSpec[]): Measured[] =>
  specs.map((spec) => ({ spec, timeMs: timeMs(spec), eagerMs: timeMs(spec) + EAGER_MS }));
const origin = {
  digest: '<script>',
  codeVersion: '0',
  createdAt: '2026-01-01T00:00:00Z',
  deviceClassId: 'a-device',
};

describe('experiments', () => {
  it('are the complete eight series and A to G', () => {
    const all = experiments();
    expect(all.map(({ id }) => id)).toEqual([...Object.keys(PAPER_SERIES), ...'ABCDEFG'.split('')]);
    const sizes = Object.fromEntries(all.map(({ id, points }) => [id, points.length]));
    expect(sizes).toMatchObject({ conv_K_vs_C: 112, increasing_batch: 131, A: 27, B: 120, D: 1947, G: 2997 });
  });

  it('have the curves of their papers, each with every value of the axis once', () => {
    const counts = { conv_K_vs_S: 4, increasing_W: 3, conv_K_vs_C: 4, conv_fixed_progressive: 5, A: 3, B: 4, C: 4, D: 3, G: 3 }; // prettier-ignore
    for (const { id, points } of experiments()) {
      if (!(id in counts)) continue;
      expect([id, new Set(points.map(({ curve }) => curve)).size]).toEqual([
        id,
        counts[id as keyof typeof counts],
      ]);
      const keys = points.map(({ curve, x }) => `${curve} ${x}`);
      // Progressive channels are powers of √2, which the authors rounded. All others are exact.
      expect([id, new Set(keys).size]).toEqual([id, points.length]);
    }
  });
});

describe('a replication', () => {
  const spec = { ...CONV_SPEC_DEFAULTS, height: 100, width: 100, kernel_h: 3, kernel_w: 3 };
  const sweep = measuredOf([50, 100].flatMap((cin) => [1, 2, 3, 4, 5, 6, 7, 8].map((cout) => ({ ...spec, cin, cout })))); // prettier-ignore
  const input = { title: 't', measured: [...sweep, ...measuredOf(plan({ name: 'replication-A' }, { specs: 27 }).specs)], served: null }; // prettier-ignore
  const found = replicate(input);

  it('draws the measured experiments and lists the others', () => {
    expect(found.figures.map(({ finding }) => [finding.id, finding.measured])).toEqual([
      ['conv_fixed_progressive', 18],
      ['A', 27],
      ['E', 16],
    ].slice(found.figures[0]?.finding.id === 'A' ? 1 : 0)); // prettier-ignore
    expect(found.missing).toContain('D');
  });

  it('computes eager time over device time, errors and steps', () => {
    const finding = found.figures.find(({ finding: { id } }) => id === 'E')?.finding;
    const ratios = sweep
      .map(({ timeMs: device, eagerMs }) => (eagerMs ?? NaN) / device)
      .sort((a, b) => a - b);
    expect(finding?.eagerOverDevice).toBeCloseTo(((ratios[7] ?? 0) + (ratios[8] ?? 0)) / 2, 12);
    expect(finding?.steps).toMatchObject({ count: 14, down: 0 });
    expect(finding?.errors.map(({ name }) => name)).toEqual(['α as published', 'α as in the replication', 'α refitted']); // prettier-ignore
  });

  it('counts the steps of device time and not of eager time', () => {
    const jumping = sweep.map((row, at) => (at === 4 ? { ...row, timeMs: 2 * row.timeMs } : row));
    const [only] = replicate({ ...input, measured: jumping }).figures;
    expect(only?.finding.steps.down).toBe(1);
    expect(only?.finding.steps.largestDown).toBeGreaterThan(0.4);
    expect(only?.finding.eagerSteps?.down).toBe(0);
  });

  it('is one page without external resources, the same in every run', () => {
    const html = replicationPage('a < b', found);
    expect(html).toContain('<h1>a &lt; b</h1>');
    expect(html.match(/<svg [^>]*class="chart"/g)).toHaveLength(found.figures.length);
    expect(html).not.toMatch(/<script|src=|url\((?!#)|@import|https?:\/\/(?!www\.w3\.org)/);
    expect(html).not.toMatch(/NaN|Infinity|undefined/);
    expect(replicationPage('a < b', replicate(input))).toBe(html);
  });

  it('draws files that contain their colours', () => {
    const file = chartFile(found.figures[0]?.svg ?? '');
    expect(file).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"[^>]*><style>svg\.chart\{--ink/);
    expect(file.match(/xmlns="/g)).toHaveLength(1);
  });
});

describe('a model’s report', () => {
  const measured = measuredOf(
    plan({ name: 'networklike' }, { specs: 150, constraints: { allowGroups: false } }).specs,
  );
  const model = fitModel(measured.map(({ spec, timeMs: ms }) => ({ spec, timeMs: ms })), { form: 'alpha-latency', origin }); // prettier-ignore

  it('has every figure, and no markup from the data', () => {
    const html = modelPage(model, measured);
    for (const name of ['height = width', 'input channels', 'output channels', 'kernel side']) {
      expect(html).toContain(`aria-label="Time against ${name}`);
    }
    for (const name of [
      'Measured against predicted time',
      'Median error by kernel',
      'Median error by decade',
    ]) {
      expect(html).toContain(`aria-label="${name}`);
    }
    expect(html).toMatch(/of them are in their interval/);
    expect(html).toContain('&lt;script&gt;');
    expect(html).not.toMatch(/<script|NaN|Infinity|undefined/);
  });

  it('works without samples and without fields that older documents lack', () => {
    const older = structuredClone(model);
    delete older.heldOut;
    delete older.neighbours;
    const html = modelPage(older, []);
    expect(html).toContain('The model contains no typical shape');
    expect(html).not.toContain('<svg');
    expect(html).toContain('alpha-latency (chosen)');
  });
});
