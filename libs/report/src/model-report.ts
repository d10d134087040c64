import { type Model, type Parameter, percent } from '@alphaflops/contracts';
import { type ConvSpec, specKey } from '@alphaflops/conv';
import { exp, log, log10 } from '@alphaflops/elementary';
import { compileModel, type Predictor, RESPONSE_AXES, type ResponseAxis } from '@alphaflops/models';
import * as Plot from '@observablehq/plot';
import { median } from 'simple-statistics';
import { chart, colour } from './chart.js';
import type { Measured } from './curves.js';
import { grouped } from './grouped.js';
import { page, table, text } from './page.js';
import { longestSeries, typicalShape, valueOf, type Varied } from './series.js';

const AXIS_NAMES: Readonly<Record<ResponseAxis, string>> = {
  size: 'height = width, pixels',
  cin: 'input channels',
  cout: 'output channels',
  kernel: 'kernel side, elements',
  batch: 'batch',
  groups: 'groups',
};
/**
 * The axes of the page of the model. Groups are not an axis: they change the work of every channel, so their points
 * do not form one curve.
 */
const AXES = RESPONSE_AXES.filter((axis) => axis !== 'groups');
const MAX_KERNELS = 10;

interface Judged {
  readonly spec: ConvSpec;
  readonly measuredMs: number;
  readonly predictedMs: number;
  readonly isInside: boolean | null;
}

/**
 * Returns a model with its figures as one self-contained HTML page. If `measured` is empty, the page shows only the
 * data that the model contains.
 */
export function modelPage(model: Model, measured: readonly Measured[]): string {
  const { data, chosenForm, interval, protocol } = model;
  const judged = judgedSamples(model, measured);
  const facts = [
    ['device class', model.deviceClassId ?? 'not given'],
    ['chosen form', chosenForm],
    ['data', `${data.samples} samples of ${data.shapes} shapes, digest ${data.digest}`],
    ['protocol', protocol === null ? 'unknown' : `${protocol.name} v${protocol.version}, ${protocol.mode}`],
    ['interval', intervalText(interval)],
    ['fitted', `${model.createdAt} by alphaflops ${model.codeVersion}, seed ${model.seed}`],
  ];
  return page(`Model ${model.id ?? 'from a file'}`, [
    table(['', ''], facts),
    '<h2>Error on held-out shapes</h2>',
    errorTable(model),
    '<h2>Time against each input dimension</h2>',
    ...axisFigures(model, measured),
    '<h2>Measured against predicted</h2>',
    ...againstMeasured(model),
    '<h2>Error by kernel and by decade of time</h2>',
    ...errorFigures(judged),
    ...kernelSection(model),
    '<h2>Coefficients</h2>',
    coefficients(model),
    '<h2>Calibrated domain</h2>',
    table(['axis', 'from', 'to'], Object.entries(model.domain).map(([axis, { min, max }]) => [axis, String(min), String(max)]), 1), // prettier-ignore
    ...(model.notes.length === 0
      ? []
      : [`<h2>Limits</h2><ul>${model.notes.map((note) => `<li>${text(note)}</li>`).join('')}</ul>`]),
  ]);
}

function intervalText({ coverage, logHalfWidth }: Model['interval']): string {
  if (logHalfWidth === null) return 'none: too few samples';
  return `nominal coverage ${percent(coverage, 0)}; predictions ÷× ${exp(logHalfWidth).toFixed(3)} inside the domain`;
}

function errorTable({ forms, chosenForm }: Model): string {
  return table(
    ['form', 'median APE', 'MAPE', 'within 10 %', 'within 20 %', 'R² (log)', 'in interval'],
    forms.map(({ form, heldOut }) => [
      form === chosenForm ? `${form} (chosen)` : form,
      ...(heldOut === null
        ? ['too few shapes']
        : [
            ...[heldOut.medianApe, heldOut.mape, heldOut.within10, heldOut.within20].map((share) =>
              percent(share),
            ),
            heldOut.r2Log?.toFixed(3) ?? '',
            // The other forms also have an interval, from their evaluation, but only the interval of the chosen form
            // is published.
            heldOut.coverage === null || form !== chosenForm ? '' : percent(heldOut.coverage),
          ]),
    ]),
    1,
  );
}

function axisFigures(model: Model, measured: readonly Measured[]): string[] {
  const typical = typicalShape(model, measured);
  if (typical === null) return ['<p>The model contains no typical shape, and there are no samples.</p>'];
  return AXES.flatMap((axis) => {
    const series = longestSeries(measured, axis, typical, model.domain);
    return series === null ? [] : [axisFigure(model, axis, series)];
  });
}

function axisFigure(model: Model, axis: ResponseAxis, { base, specs, measured }: Varied): string {
  const [chosen, alpha, flops] = [model.chosenForm, 'alpha', 'flops'].map((form) =>
    compileModel(model, form),
  );
  const line = (predict: typeof chosen) =>
    specs.map((spec) => ({ x: valueOf(spec, axis), ms: predict?.(spec).predictedMs }));
  const changes = chosen === undefined ? [] : kernelChanges(specs, chosen);
  const dots = measured.map(({ spec, timeMs }) => ({ x: valueOf(spec, axis), ms: timeMs }));
  const name = `Time against ${AXIS_NAMES[axis]}`;
  const svg = chart(name, {
    width: 620,
    height: 260,
    marginLeft: 60,
    x: { type: 'log', label: AXIS_NAMES[axis], tickFormat: '~g', ticks: 6 },
    y: { type: 'log', label: 'ms', grid: true, tickFormat: '~g', ticks: 5 },
    marks: [
      Plot.frame({ stroke: colour('rule') }),
      Plot.ruleX(
        changes.map((spec) => valueOf(spec, axis)),
        { stroke: colour('ink'), strokeDasharray: '1 3' },
      ),
      Plot.line(line(flops), { x: 'x', y: 'ms', stroke: colour('published'), strokeDasharray: '6 3' }),
      Plot.line(line(alpha), { x: 'x', y: 'ms', stroke: colour('refitted') }),
      Plot.line(line(chosen), { x: 'x', y: 'ms', stroke: colour('model'), strokeWidth: 1.8 }),
      Plot.dot(dots, { x: 'x', y: 'ms', r: 2, fill: colour('measured') }),
    ],
  });
  const changed = changes.length === 0 ? '' : ' Dotted lines: the assumed kernel changes.';
  const drawn =
    measured.length === 0 ? 'No sample differs along this axis only.' : `${measured.length} samples.`;
  return `<figure><h3>${text(name)}</h3><div class="wide">${svg}</div><figcaption>${keys([
    ['measured', 'measured'],
    [model.chosenForm, 'model'],
    ['α refitted', 'refitted'],
    ['raw FLOPs', 'published'],
  ])} ${drawn} From ${text(specKey(base))}.${changed}</figcaption></figure>`;
}

/** Returns the values of the axis at which the assumed kernel changes. */
function kernelChanges(specs: readonly ConvSpec[], predict: Predictor): ConvSpec[] {
  const names = specs.map((spec) => predict(spec).kernel?.name ?? null);
  return specs.filter((_, i) => i > 0 && names[i] !== null && names[i] !== names[i - 1]);
}

/** Describes how well the model predicts the kernels that the library chooses. */
function kernelSection({ kernels }: Model): string[] {
  if (!kernels) return [];
  const { labels, given, accuracy, heldOut, errors } = kernels;
  return [
    '<h2>Kernels</h2>',
    `<p>The classifier was trained on ${labels} shapes. It predicts the kernel of ${percent(accuracy)} of the held-out samples correctly. ` +
      `The kernel of ${given} samples is known. With a predicted kernel, the median error is ${percent(heldOut.medianApe)}, ` +
      `and ${percent(heldOut.within10)} of the predictions are within 10 %.</p>`,
    table(
      ['kernel, given', 'samples', 'median APE'],
      errors.map(({ kernel, n, medianApe }) => [kernel, String(n), percent(medianApe)]),
      1,
    ),
  ];
}

const keys = (names: readonly (readonly [string, Parameters<typeof colour>[0]])[]): string =>
  names.map(([name, key]) => `<span style="color:${colour(key)}">■</span> ${text(name)}`).join(' ') + '.';

/**
 * Returns a chart of held-out predictions against measured times, both in milliseconds on logarithmic axes, as one
 * SVG element. Returns null if the model contains no held-out predictions.
 */
export function measuredAgainstPredicted({ heldOut }: Model): string | null {
  const points = heldOut?.points ?? [];
  if (points.length === 0) return null;
  const dots = points.map(([, measured, predicted]) => ({ measured, predicted }));
  const all = dots.flatMap(({ measured, predicted }) => [measured, predicted]);
  const domain: [number, number] = [Math.min(...all) / 1.2, 1.2 * Math.max(...all)];
  const axis = { type: 'log' as const, domain, grid: true, tickFormat: '~g', ticks: 5 };
  return chart('Measured against predicted time', {
    ...{ width: 520, height: 480, marginLeft: 60 },
    x: { ...axis, label: 'measured, ms' },
    y: { ...axis, label: 'predicted, ms' },
    marks: [
      Plot.frame({ stroke: colour('rule') }),
      Plot.line([domain, domain].map(([low, high], at) => (at === 0 ? [low, low] : [high, high])), { stroke: colour('ink') }), // prettier-ignore
      Plot.dot(dots, { x: 'measured', y: 'predicted', r: 1.8, fill: colour('measured'), fillOpacity: 0.6 }),
    ],
  });
}

function againstMeasured(model: Model): string[] {
  const svg = measuredAgainstPredicted(model);
  if (svg === null) return ['<p>The model contains no held-out predictions.</p>'];
  const count = model.heldOut?.points.length ?? 0;
  return [
    `<figure><div class="wide">${svg}</div><figcaption>${count} predictions by models that were not fitted to the shape. Points on the line are exact.</figcaption></figure>`,
  ];
}

/** Returns the samples with a held-out prediction if the model contains enough of them, otherwise all samples. */
function judgedSamples(model: Model, measured: readonly Measured[]): { all: Judged[]; isHeldOut: boolean } {
  const kept = new Map(model.heldOut?.shapes);
  const known = measured.filter(({ spec }) => kept.has(specKey(spec)));
  const isHeldOut = known.length >= 30;
  const predict = compileModel(model);
  const all = (isHeldOut ? known : measured).map(({ spec, timeMs }) => {
    const { predictedMs: whole, upperMs } = predict(spec);
    const predictedMs = kept.get(specKey(spec)) ?? whole;
    // The interval is the same factor in both directions for every prediction.
    const off = Math.abs(log(predictedMs / timeMs));
    const isInside = upperMs === null ? null : off <= log(upperMs / whole);
    return { spec, measuredMs: timeMs, predictedMs, isInside };
  });
  return { all, isHeldOut };
}

function errorFigures({ all, isHeldOut }: ReturnType<typeof judgedSamples>): string[] {
  if (all.length === 0)
    return [
      '<p>There are no samples. The errors by kernel and by decade need samples (--data, or a coordinator).</p>',
    ];
  const decade = ({ measuredMs }: Judged) => Math.floor(log10(measuredMs));
  const byKernel = [...grouped(all, ({ spec }) => `${spec.kernel_h}×${spec.kernel_w}`)]
    .sort(([, a], [, b]) => b.length - a.length)
    .slice(0, MAX_KERNELS);
  const byDecade = [...grouped(all, decade)]
    .sort(([a], [b]) => a - b)
    .map(([at, rows]) => [`${Number(`1e${at}`)}–${Number(`1e${at + 1}`)} ms`, rows] as const);
  const coverage = all.filter(({ isInside }) => isInside !== null);
  const inside = coverage.filter(({ isInside }) => isInside).length / coverage.length;
  return [
    `<p>${all.length} samples, ${isHeldOut ? 'predicted by models that were not fitted to the shape' : 'most of which are in the data of the model'}.${
      coverage.length === 0 ? '' : ` ${percent(inside)} of them are in their interval.`
    }</p>`,
    bars('Median error by kernel', 'kernel', byKernel),
    bars('Median error by decade of time', 'measured time', byDecade),
  ];
}

function bars(name: string, label: string, groups: readonly (readonly [string, Judged[]])[]): string {
  const rows = groups.map(([group, members]) => ({
    group,
    n: members.length,
    error: 100 * median(members.map(({ measuredMs, predictedMs }) => Math.abs(predictedMs / measuredMs - 1))),
  }));
  const svg = chart(name, {
    ...{ width: 620, height: 60 + 26 * rows.length, marginLeft: 110, marginRight: 110 },
    x: { label: 'median error, %', grid: true },
    y: { label, domain: rows.map(({ group }) => group) },
    marks: [
      Plot.barX(rows, { x: 'error', y: 'group', fill: colour('measured') }),
      Plot.text(rows, {
        ...{ x: 'error', y: 'group', textAnchor: 'start', dx: 5 },
        text: ({ error, n }: (typeof rows)[number]) => `${error.toFixed(1)} % of ${n}`,
      }),
    ],
  });
  return `<figure><h3>${text(name)}</h3><div class="wide">${svg}</div></figure>`;
}

const SYMBOLS: Readonly<Record<string, string>> = { beta: 'β', gamma: 'γ' };

function coefficients({ forms }: Model): string {
  const rows = forms.flatMap(({ form, groups }) =>
    groups.flatMap(
      ({ group, n, parameters }) =>
      parameters.map((p) => [form, `${group} (n = ${n})`, SYMBOLS[p.name] ?? p.name, ...valueOfParameter(p), p.unit === '1' ? '' : p.unit]), // prettier-ignore
    ),
  );
  return table(['form', 'kernels', 'parameter', 'value', 'standard error', 'unit'], rows);
}

/** Does not show a value that the data do not determine, because readers would take it as a result. */
function valueOfParameter({ state, value, standardError }: Parameter): [string, string] {
  if (state === 'not-identifiable') return ['not identifiable', ''];
  const shown = value.toPrecision(4);
  return state === 'on-bound'
    ? [`${shown} (on its bound)`, '']
    : [shown, standardError === null ? '' : `± ${standardError.toPrecision(2)}`];
}
