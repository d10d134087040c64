import { percent } from '@alphaflops/contracts/text';
import type { FittedForm, Metrics, Model, Parameter } from '@alphaflops/contracts';
import { indented, significant, table } from './tables.js';

const ERROR_COLUMNS = ['median APE', 'MAPE', 'within 10 %', 'within 20 %', 'R² (log)', 'in interval'];

/** Errors of forms on shapes that the fit did not use, side by side. */
export function heldOutTable(model: Pick<Model, 'forms' | 'chosenForm'>): string {
  return metricsTable(
    'form',
    model.forms.map(({ form, heldOut }) => [
      form === model.chosenForm ? `${form} (chosen)` : form,
      // The cross-validation also gives the other forms an interval, but only the interval of the chosen form is
      // published.
      heldOut && form !== model.chosenForm ? { ...heldOut, coverage: null } : heldOut,
    ]),
  );
}

/** One row per name. A row has no metrics if there were too few shapes to hold any out. */
export function metricsTable(what: string, rows: readonly (readonly [string, Metrics | null])[]): string {
  return table(
    [what, ...ERROR_COLUMNS],
    rows.map(([name, metrics]) => [name, ...(metrics === null ? ['too few shapes'] : errors(metrics))]),
    1,
  );
}

function errors({ medianApe, mape, within10, within20, r2Log, coverage }: Metrics): string[] {
  return [
    ...[medianApe, mape, within10, within20].map((share) => percent(share)),
    r2Log === null ? '' : r2Log.toFixed(3),
    coverage === null ? '' : percent(coverage),
  ];
}

/** Parameters of forms with their standard errors, one row each. */
export function parametersTable(forms: readonly FittedForm[]): string {
  return table(
    ['form', 'kernels', 'n', 'parameter', 'value', 'standard error', 'unit'],
    forms.flatMap(({ form, groups }) =>
      groups.flatMap(({ group, n, parameters }) =>
        parameters.map((parameter, at) => [
          ...(at === 0 ? [form, group, String(n)] : ['', '', '']),
          SYMBOLS[parameter.name] ?? parameter.name,
          ...valueOf(parameter),
          parameter.state === 'not-identifiable' || parameter.unit === '1' ? '' : parameter.unit,
        ]),
      ),
    ),
  );
}

const SYMBOLS: Readonly<Record<string, string>> = { beta: 'β', gamma: 'γ' };

/** A value that the data do not determine is not shown, because readers would take it for a finding. */
function valueOf({ state, value, standardError }: Parameter): [value: string, error: string] {
  if (state === 'not-identifiable') return ['not identifiable', ''];
  if (state === 'on-bound') return [`${significant(value)} (on its bound)`, ''];
  return [significant(value), standardError === null ? '' : `± ${significant(standardError, 2)}`];
}

/** The limits of a model, one line each. */
export function notesOf({ notes }: Pick<Model, 'notes'>): string {
  return notes.map((note) => `- ${note}`).join('\n');
}

/** The energy part of a model: its errors, parameters and limits. Empty if the model has no energy. */
export function energySummary({ energy }: Model): string[] {
  if (!energy) return [];
  const published = energy.forms.filter(({ groups }) => groups.length > 0);
  return [
    `\nEnergy: ${energy.data.samples} samples of ${energy.data.shapes} shapes; chosen form: ${energy.chosenForm}\n`,
    indented(heldOutTable(energy)),
    `\n${indented(parametersTable(published))}`,
    ...(energy.notes.length === 0 ? [] : [`\n${indented(notesOf(energy))}`]),
  ];
}

/** Number of kernels whose error is shown. */
const SHOWN_KERNELS = 12;

/**
 * The kernels of a model: the error by kernel, and the error with an assumed kernel. Empty if the model has no kernels.
 */
export function kernelSummary({ kernels }: Model): string[] {
  if (!kernels) return [];
  const { labels, given, accuracy, heldOut, errors: byKernel } = kernels;
  return [
    `\nKernels: given for ${given} samples; learned from ${labels} shapes, ${percent(accuracy)} of the kernels of held-out samples are predicted correctly\n`,
    indented(metricsTable('kernel', [['assumed', heldOut]])),
    `\n${indented(
      table(
        ['kernel, given', 'n', 'median APE'],
        byKernel
          .slice(0, SHOWN_KERNELS)
          .map(({ kernel, n, medianApe }) => [kernel, String(n), percent(medianApe)]),
        1,
      ),
    )}`,
  ];
}
