import {
  type EnergyModel,
  type FittedForm,
  type Metrics,
  type Model,
  type Parameter,
  percent,
} from '@alphaflops/contracts';
import { specKey } from '@alphaflops/conv';
import { exp } from '@alphaflops/elementary';
import { kernelsAlong, relativeDifference, RESPONSE_AXES, typicalShape } from '@alphaflops/models';
import { residualPlot, responsePlot } from './model-card-plots.js';

/**
 * Returns the model as a readable Markdown page: its data, its errors, its parameters and its limits.
 *
 * @throws ModelError `bad-document` as `compileModel`
 */
export function modelCard(model: Model): string {
  const { data, protocol } = model;
  return [
    `# Model ${model.id ?? '(from a file)'}`,
    '',
    ...list({
      'Device class': model.deviceClassId ?? 'not given',
      Form: model.chosenForm,
      Data: `${data.samples} samples of ${data.shapes} shapes, digest \`${data.digest}\``,
      'Left out': Object.entries(data.excluded)
        .map(([reason, count]) => `${count} ${reason}`)
        .join(', '),
      Design: model.design ?? '',
      Protocol: protocol === null ? '' : `${protocol.name} v${protocol.version}, ${protocol.mode}`,
      Interval: intervalOf(model),
      'Noise floor': noiseFloorOf(model),
      Fitted: `${model.createdAt} by alphaflops ${model.codeVersion}, seed ${model.seed}`,
    }),
    '',
    '## Error on held-out shapes',
    '',
    ...errorTable(model),
    '',
    ...plots(model),
    ...worst(model, 'ms'),
    ...kernelSection(model),
    ...model.forms.filter(({ groups }) => groups.length > 0).flatMap(parameters),
    ...energySection(model),
    '## Domain',
    '',
    ...table(
      ['axis', 'from', 'to'],
      Object.entries(model.domain).map(([axis, { min, max }]) => [axis, String(min), String(max)]),
    ),
    '',
    ...(model.notes.length === 0 ? [] : ['## Limits', '', ...model.notes.map((note) => `- ${note}`), '']),
  ].join('\n');
}

type Cost = Omit<EnergyModel, 'data'>;

function intervalOf({ interval: { coverage, logHalfWidth } }: Cost): string {
  if (logHalfWidth === null) return 'none: too few samples';
  return `${percent(coverage)} of measurements within ÷×${exp(logHalfWidth).toFixed(3)} of the prediction, inside the domain`;
}

function noiseFloorOf({ noiseFloor }: Model): string {
  if (noiseFloor === undefined) return 'unknown: no shape was visited twice';
  const { shapes, medianLogRatio, p90LogRatio } = noiseFloor;
  const [median, p90] = [medianLogRatio, p90LogRatio].map((ratio) => percent(relativeDifference(ratio)));
  return `${median ?? ''} in the median, ${p90 ?? ''} in the 90th percentile, between two visits of ${shapes} shapes by one device`;
}

function errorTable({ forms }: Cost): string[] {
  return table(
    ['form', 'median APE', 'MAPE', 'within 10 %', 'within 20 %', 'R² (log)', 'coverage'],
    forms.map(({ form, heldOut }) => [form, ...(heldOut === null ? ['too few shapes'] : errors(heldOut))]),
  );
}

/** The error by kernel, and the kernel that the model assumes along each axis. */
function kernelSection(model: Model): string[] {
  const { kernels } = model;
  if (!kernels) return [];
  const { labels, given, accuracy, heldOut, errors: byKernel } = kernels;
  const shape = typicalShape(model);
  const map = shape === null ? [] : RESPONSE_AXES.flatMap((axis) => kernelsAlong(model, shape, axis));
  return [
    '## Kernels',
    '',
    ...list({
      Given: `for ${given} of ${model.data.samples} samples`,
      Classifier: `trained on ${labels} shapes; correct for ${percent(accuracy)} of the held-out samples`,
      'Kernel assumed': `median APE ${percent(heldOut.medianApe)}, ${percent(heldOut.within10)} within 10 %`,
    }),
    '',
    ...table(
      ['kernel, given', 'samples', 'held-out median APE'],
      byKernel.map(({ kernel, n, medianApe }) => [`\`${kernel}\``, String(n), percent(medianApe)]),
    ),
    '',
    ...(map.length === 0 || shape === null
      ? []
      : [
          `### Kernel map along each axis, from ${specKey(shape)}`,
          '',
          ...table(
            ['axis', 'from', 'to', 'assumed kernel', 'probability'],
            map.map(({ axis, from, to, kernel, probability }) => [
              ...[axis, String(from), String(to), `\`${kernel}\``, percent(probability)],
            ]),
          ),
          '',
        ]),
  ];
}

function energySection({ energy }: Model): string[] {
  if (!energy) return [];
  const residuals = residualPlot(energy, 'mJ');
  return [
    '## Energy',
    '',
    ...list({
      Form: energy.chosenForm,
      Data: `${energy.data.samples} samples of ${energy.data.shapes} shapes`,
      Interval: intervalOf(energy),
    }),
    '',
    ...errorTable(energy),
    '',
    ...(residuals === null ? [] : [residuals, '']),
    ...worst(energy, 'mJ').map(deeper),
    ...energy.forms.filter(({ groups }) => groups.length > 0).flatMap((form) => parameters(form).map(deeper)),
    ...energy.notes.map((note) => `- ${note}`),
    '',
  ];
}

/** Moves a heading to the level below the heading of energy. */
const deeper = (line: string): string => (line.startsWith('## ') ? `#${line}` : line);

function plots(model: Model): string[] {
  const residuals = residualPlot(model, 'ms');
  const shape = typicalShape(model);
  const response = shape && responsePlot(model, shape);
  return [
    ...(residuals === null ? [] : [residuals, '']),
    ...(shape === null || response === null
      ? []
      : [`## α along each axis, from ${specKey(shape)}`, '', response, '']),
  ];
}

function worst({ heldOut }: Cost, unit: 'ms' | 'mJ'): string[] {
  if (!heldOut) return [];
  return [
    '## Shapes with the largest held-out errors',
    '',
    ...table(
      ['shape', `measured, ${unit}`, `predicted, ${unit}`, 'factor'],
      heldOut.worst.map(({ shape, measured, predicted }) => [
        shape,
        measured.toPrecision(4),
        predicted.toPrecision(4),
        (predicted / measured).toPrecision(3),
      ]),
    ),
    '',
  ];
}

function parameters({ form, groups }: FittedForm): string[] {
  return [
    `## Parameters of ${form}`,
    '',
    ...table(
      ['kernel group', 'parameter', 'value', 'standard error', 'unit'],
      groups.flatMap(({ group, n, parameters: all }) =>
        all.map((p) => [`${group} (n = ${n})`, p.name, ...valueOf(p), p.unit]),
      ),
    ),
    '',
  ];
}

/** Does not show a value that the data do not determine, because readers would take it as a result. */
function valueOf({ state, value, standardError }: Parameter): [string, string] {
  if (state === 'not-identifiable') return ['not identifiable', ''];
  const shown = value.toPrecision(4);
  return state === 'on-bound'
    ? [`${shown} (on its bound)`, '']
    : [shown, standardError?.toPrecision(2) ?? ''];
}

function errors(m: Metrics): string[] {
  return [
    percent(m.medianApe),
    percent(m.mape),
    percent(m.within10),
    percent(m.within20),
    m.r2Log === null ? '' : m.r2Log.toFixed(4),
    m.coverage === null ? '' : percent(m.coverage),
  ];
}

function list(entries: Readonly<Record<string, string>>): string[] {
  return Object.entries(entries)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `- **${name}**: ${value}`);
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)];
}
