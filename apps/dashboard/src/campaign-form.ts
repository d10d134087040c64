import type { CampaignRequest } from './api.js';
import { type DesignName, SEEDED } from './designs.js';

/** Values of the form, as typed texts. */
export interface CampaignForm {
  name: string;
  design: DesignName;
  seed: string;
  rounds: string;
  csv: string;
  specs: string;
  /** Per cent; empty: all of the budget is measured. */
  targetError: string;
  /** Minutes; empty: no limit. */
  maxMinutes: string;
  maxSpecMs: string;
  maxMacs: string;
  allowGroups: boolean;
  dtypes: ('f32' | 'f16' | 'bf16')[];
  deviceClassId: string;
  /** Empty: the whole class shares the work. */
  deviceIds: string[];
  protocol: string;
  replicates: string;
  /** Per cent of the shapes; empty: the default. */
  repeats: string;
}

export const EMPTY_FORM: CampaignForm = {
  name: '',
  design: 'networklike',
  seed: '1',
  rounds: '8',
  csv: '',
  specs: '500',
  targetError: '',
  maxMinutes: '',
  maxSpecMs: '',
  maxMacs: '',
  allowGroups: true,
  dtypes: ['f32'],
  deviceClassId: '',
  deviceIds: [],
  protocol: '',
  replicates: '1',
  repeats: '',
};

/** The request for the coordinator. The coordinator checks the values and names invalid ones. */
export function requestOf(form: CampaignForm): CampaignRequest {
  const { name, deviceIds, deviceClassId, protocol, dtypes, allowGroups } = form;
  return {
    name: name.trim(),
    design: designOf(form),
    budget: {
      specs: Number(form.specs),
      ...(form.targetError !== '' && { targetError: Number(form.targetError) / 100 }),
      ...(form.maxMinutes !== '' && { maxSeconds: Number(form.maxMinutes) * 60 }),
      ...(form.maxSpecMs !== '' && { maxSpecMs: Number(form.maxSpecMs) }),
    },
    constraints: {
      ...(dtypes.length > 0 && { dtypes }),
      ...(form.maxMacs !== '' && { maxMacs: Number(form.maxMacs) }),
      ...(!allowGroups && { allowGroups }),
    },
    target: deviceIds.length > 0 ? { kind: 'devices', deviceIds } : { kind: 'device-class', deviceClassId },
    ...(protocol !== '' && { protocol }),
    replicates: Number(form.replicates),
    ...(form.repeats !== '' && { repeats: Number(form.repeats) / 100 }),
  };
}

function designOf({ design: name, seed, rounds, csv }: CampaignForm): CampaignRequest['design'] {
  if (name === 'csv') return { name, csv };
  if (name === 'adaptive') return { name, seed: Number(seed), rounds: Number(rounds) };
  return SEEDED.includes(name) ? { name, seed: Number(seed) } : { name };
}
