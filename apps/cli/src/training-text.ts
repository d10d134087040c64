import { percent } from '@alphaflops/contracts/text';
import type { Training, TrainingCost } from '@alphaflops/contracts';
import { PASSES, type Pass } from '@alphaflops/conv';
import { counted, ms, significant, table } from './tables.js';

const NAMES: Record<Pass, string> = {
  forward: 'forward',
  'backward-data': 'gradient of the input',
  'backward-weights': 'gradient of the weights',
};

/** The cost of training for a terminal: the layers in each pass, then a step and an epoch. */
export function trainingText(
  training: Training,
  names: readonly string[],
  gridIntensityGramsPerKwh: number | undefined,
): string {
  const { step, epoch, unknownPasses } = training;
  const rows = training.layers.map((layer, at) => [
    names[at] ?? String(at + 1),
    ...PASSES.flatMap((pass) => [ms(layer[pass].predictedMs), significant(layer[pass].alpha, 3)]),
  ]);
  const head = ['training: layer', ...PASSES.flatMap((pass) => [NAMES[pass], 'α'])];
  const sums = PASSES.map((pass) => costRow(NAMES[pass], training.passes[pass]));
  const total = [
    costRow('step', step),
    ...(epoch === null ? [] : [costRow(`epoch of ${counted(epoch.steps, 'step')}`, epoch)]),
  ];
  return [
    table(head, rows, 1),
    '',
    table(
      ['training', 'time', 'interval', 'energy', 'interval', 'share of a step'],
      [
        ...sums.map((row, at) => [...row, percent(shareOf(training, PASSES[at] ?? 'forward'))]),
        ...total.map((row) => [...row, '']),
      ],
      1,
    ),
    ...emissionLines(training, gridIntensityGramsPerKwh),
    ...(unknownPasses.length === 0
      ? []
      : [
          `The model has no sample of ${unknownPasses.join(' and ')}: these passes get the cost of the forward pass, and their error is unknown. To measure them, use campaign create --passes ${PASSES.join()}.`,
        ]),
    'The cost includes only convolutions and dense layers, without the optimiser, the loss and all other layers.',
  ].join('\n');
}

function costRow(name: string, cost: TrainingCost): string[] {
  const { predictedMs, lowerMs, upperMs, energyMillijoules, lowerEnergyMillijoules, upperEnergyMillijoules } =
    cost;
  return [
    name,
    duration(predictedMs),
    lowerMs === null || upperMs === null ? 'none' : `${duration(lowerMs)} … ${duration(upperMs)}`,
    energyMillijoules === null ? 'unknown' : energy(energyMillijoules),
    lowerEnergyMillijoules === null || upperEnergyMillijoules === null
      ? 'none'
      : `${energy(lowerEnergyMillijoules)} … ${energy(upperEnergyMillijoules)}`,
  ];
}

function shareOf({ passes, step }: Training, pass: Pass): number {
  return passes[pass].predictedMs / step.predictedMs;
}

function emissionLines({ emissions }: Training, intensity: number | undefined): string[] {
  if (emissions === undefined) return [];
  if (emissions === null) return ['No CO2e: this model has no energy.'];
  const { step, epoch } = emissions;
  const range = (lower: number | null, upper: number | null) =>
    lower === null || upper === null ? '' : ` (${significant(lower)} … ${significant(upper)} g)`;
  const line = (what: string, { grams, lowerGrams, upperGrams }: typeof step) =>
    `CO2e of ${what} at ${significant(intensity ?? NaN)} g/kWh: ${significant(grams)} g${range(lowerGrams, upperGrams)}`;
  return [line('a step', step), ...(epoch === null ? [] : [line('an epoch', epoch)])];
}

/** Milliseconds, seconds or hours, in the most readable unit. */
function duration(timeMs: number): string {
  if (timeMs < 10_000) return ms(timeMs);
  return timeMs < 3_600_000 ? `${significant(timeMs / 1000)} s` : `${significant(timeMs / 3_600_000)} h`;
}

function energy(energyMillijoules: number): string {
  if (energyMillijoules < 1e4) return `${significant(energyMillijoules)} mJ`;
  return energyMillijoules < 3.6e7
    ? `${significant(energyMillijoules / 1000)} J`
    : `${significant(energyMillijoules / 3.6e6)} Wh`;
}
