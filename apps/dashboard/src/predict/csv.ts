import { hasOptionalFields, OPTIONAL_FIELDS } from '@alphaflops/conv';
import type { PredictedFor } from './results.js';

const INPUT = ['batch', 'height', 'width', 'cin', 'cout', 'kernel_h', 'kernel_w', 'stride', 'groups', 'dtype', 'padding', 'layout'] as const; // prettier-ignore
const OUTPUT = ['macs', 'flops', 'predicted_ms', 'lower_ms', 'upper_ms', 'alpha', 'alpha_flops', 'in_domain', 'energy_mj', 'lower_energy_mj', 'upper_energy_mj', 'energy_in_domain']; // prettier-ignore

/** The layer's name, followed by the columns of `alphaflops predict`. */
export function csvOf({ data, rows }: PredictedFor): string {
  const input = rows.some(({ spec }) => hasOptionalFields(spec)) ? [...INPUT, ...OPTIONAL_FIELDS] : INPUT;
  const lines = data.layers.map((one, at) => {
    const row = rows[at];
    return [
      quoted(row?.name ?? ''),
      ...input.map((name) => row?.spec[name] ?? ''),
      ...[one.macs, one.flops, one.predictedMs, one.lowerMs, one.upperMs, one.alpha, one.alphaFlops],
      ...[
        one.inDomain,
        one.energyMillijoules,
        one.lowerEnergyMillijoules,
        one.upperEnergyMillijoules,
        one.energyInDomain,
      ],
    ]
      .map((cell) => cell ?? '')
      .join();
  });
  return [['layer', ...input, ...OUTPUT].join(), ...lines, ''].join('\n');
}

function quoted(text: string): string {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
