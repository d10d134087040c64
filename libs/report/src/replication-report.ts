import { percent } from '@alphaflops/contracts';
import { type Colour, colour } from './chart.js';
import { type Curve, curvesOf, type Measured, type Served } from './curves.js';
import { experiments } from './experiments.js';
import { byShape, type Figure, figure, type Finding, type Steps } from './figure.js';
import { page, table, text } from './page.js';

export interface ReplicationInput {
  /** A short description of the measurements and the device. */
  readonly title: string;
  readonly measured: readonly Measured[];
  /** The model whose predictions are drawn over the measurements; null for none. */
  readonly served: Served | null;
  /** Called before each figure is drawn. */
  readonly onProgress?: (done: number, total: number, what: string) => void;
}

export interface Replication {
  readonly curves: readonly Curve[];
  readonly figures: readonly Figure[];
  /** Ids of the experiments without any measurement. */
  readonly missing: readonly string[];
}

/** Draws the measured parts of the eight series of the paper and of the experiments A–G of the replication. */
export function replicate({ measured, served, onProgress }: ReplicationInput): Replication {
  const all = experiments();
  onProgress?.(0, all.length + 1, 'refitting α');
  const curves = curvesOf(measured, served);
  const times = byShape(measured);
  const figures = all.map((experiment, at) => {
    onProgress?.(at + 1, all.length + 1, experiment.title);
    return { id: experiment.id, drawn: figure(experiment, times, curves) };
  });
  return {
    curves,
    figures: figures.flatMap(({ drawn }) => (drawn === null ? [] : [drawn])),
    missing: figures.flatMap(({ id, drawn }) => (drawn === null ? [id] : [])),
  };
}

/** Returns the replication as one self-contained HTML page. */
export function replicationPage(title: string, { curves, figures, missing }: Replication): string {
  const of = (source: 'paper' | 'replication') =>
    figures.filter(({ experiment }) => experiment.source === source).map((one) => drawn(one, curves));
  const part = (heading: string, parts: readonly string[]) =>
    parts.length === 0 ? [] : [`<h2>${text(heading)}</h2>`, ...parts];
  return page(title, [
    `<p>Dots are measurements. The upper row shows device time, without launch costs. The lower row shows eager time, with
one launch after another, if it was measured. The lines are the same in both rows: predictions of device time.</p>`,
    legend(curves),
    '<h2>Summary</h2>',
    '<p>The median error of each line over the measured points of an experiment, and eager time divided by device time.</p>',
    summary(
      figures.map(({ finding }) => finding),
      curves,
    ),
    ...part('The series of the paper (2021, arXiv 2107.11949)', of('paper')),
    ...part('The experiments of the replication (2026, arXiv 2608.14550)', of('replication')),
    ...(missing.length === 0
      ? []
      : [
          `<h2>Not measured</h2><p>The measurements contain no convolution of ${text(missing.join(', '))}.</p>`,
        ]),
  ]);
}

function legend(curves: readonly Curve[]): string {
  const key = (name: Colour, dash?: string) =>
    `<svg width="28" height="10" aria-hidden="true"><path d="M0 5H28" stroke="${colour(name)}" stroke-width="2"${dash === undefined ? '' : ` stroke-dasharray="${dash}"`}/></svg>`;
  const dots = `<svg width="28" height="10" aria-hidden="true"><circle cx="14" cy="5" r="3" fill="${colour('measured')}"/></svg>`;
  const lines = curves.map(
    (curve) =>
      `<li>${key(curve.colour, curve.dash)}<strong>${text(curve.name)}</strong>: ${text(curve.meaning)}</li>`,
  );
  return `<ul class="legend"><li>${dots}<strong>measured</strong></li>${lines.join('')}</ul>`;
}

function summary(findings: readonly Finding[], curves: readonly Curve[]): string {
  return table(
    ['experiment', 'measured', 'eager / device', ...curves.map(({ name }) => name)],
    findings.map(({ id, measured, planned, eagerOverDevice, errors }) => [
      id,
      `${measured} of ${planned}`,
      eagerOverDevice === null ? 'unknown' : eagerOverDevice.toFixed(2),
      ...errors.map(({ medianApe }) => percent(medianApe)),
    ]),
    1,
  );
}

function drawn({ experiment, finding, svg }: Figure, curves: readonly Curve[]): string {
  const { id, title } = experiment;
  const ratios = finding.errors
    .map(({ name, medianRatio }) => `${name} ${medianRatio.toFixed(2)}`)
    .join(', ');
  const eager = finding.eagerSteps === null ? '' : ` Eager time: ${stepsText(finding.eagerSteps)}.`;
  return `<figure id="${text(id)}"><h3>${text(id)}: ${text(title)}</h3><div class="wide">${svg}</div>
<figcaption>${finding.measured} of ${finding.planned} convolutions. ${curves.length === 0 ? '' : `Median of predicted divided by measured: ${text(ratios)}. `}Device time: ${stepsText(finding.steps)}.${eager}</figcaption></figure>`;
}

export function stepsText({ count, up, down, largestUp, largestDown }: Steps): string {
  if (count === 0) return 'no neighbouring points';
  return `${count} steps to the next point, of which ${up} increase and ${down} decrease by more than 3 %, by at most ${percent(largestUp, 0)} and ${percent(largestDown, 0)}`;
}
