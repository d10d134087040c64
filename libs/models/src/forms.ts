import { alphaForm, alphaLatencyForm, flopsForm } from './alpha-forms.js';
import { alphaAxesForm } from './axes/alpha-axes-form.js';
import { boostedForm } from './boosting/boosted-form.js';
import { transferForm } from './boosting/transfer-form.js';
import { ModelError } from './error.js';
import { kernelBoostedForm } from './kernels/kernel-boosted-form.js';
import { kernelWavesForm } from './kernels/kernel-waves-form.js';
import type { Form } from './form.js';
import { activityPowerForm } from './power/activity-power-form.js';

/** All forms, the simplest first. Of two equally good forms, the simpler one is chosen. */
export const FORMS: readonly Form[] = [
  flopsForm,
  alphaForm,
  alphaLatencyForm,
  activityPowerForm(formNamed),
  alphaAxesForm,
  transferForm(formNamed),
  boostedForm,
  kernelWavesForm,
  kernelBoostedForm,
];

/** @throws ModelError `unknown-form`. */
export function formNamed(name: string): Form {
  const form = FORMS.find((candidate) => candidate.name === name);
  if (form) return form;
  const known = FORMS.map((candidate) => candidate.name).join(', ');
  throw new ModelError('unknown-form', `there is no form "${name}"; known forms: ${known}`);
}
