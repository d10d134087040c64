import { percent } from '@alphaflops/contracts/text';
import type { Model, Prediction, Predictions } from '@alphaflops/contracts';
import { type ConvSpec, specKey } from '@alphaflops/conv';
import {
  compileModel,
  emissionsOf,
  layersInPass,
  passesOf,
  predictedTotal,
  trainingOf,
} from '@alphaflops/models';
import { completenessText, type Network } from '@alphaflops/networks';
import { connect, type ConnectionOptions } from '../connection.js';
import { CliError } from '../error.js';
import { inputName } from '../files.js';
import { modelIn } from '../model-source.js';
import { type InputSizes, networkFrom } from '../network-file.js';
import { counted, json, ms, significant, table } from '../tables.js';
import { trainingText } from '../training-text.js';
import { localCudnn, type CudnnOptions } from './kernels/local-cudnn.js';

export interface NetworkOptions extends ConnectionOptions, CudnnOptions {
  model?: string;
  deviceClass?: string;
  batch?: number;
  input?: InputSizes[];
  strict?: true;
  gridIntensity?: number;
  training?: true;
  samples?: number;
  json?: true;
}

type Predicted = Pick<Predictions, 'layers' | 'total' | 'emissions' | 'training'>;

/**
 * The cost of each layer of a network, and the total with its missing parts. The file is read here. A coordinator gets
 * only the layers.
 */
export async function predictNetwork(path: string, options: NetworkOptions): Promise<void> {
  const read = await networkFrom(path, options);
  const { completeness, ...network } = read;
  if (network.layers.length === 0) {
    if (options.json === true) console.log(json({ ...network, total: completeness }));
    throw new CliError('bad-input', `${inputName(path)} has no layer with a cost${leftOut(read)}.`);
  }
  const { layers, total: sum, emissions, training } = await predictions(read, options);
  const total = { ...sum, ...completeness, missing: [...completeness.missing] };
  const predicted = network.layers.map((layer, at) => ({ ...layer, ...(layers[at] as Prediction) }));
  if (options.json === true) {
    console.log(
      json({
        ...{ ...network, layers: predicted, total },
        ...(emissions !== undefined && { emissions }),
        ...(training !== undefined && { training }),
      }),
    );
  } else {
    console.log(completenessText(read));
    printed(read, predicted, total);
    if (emissions !== undefined) console.log(describedEmissions(emissions));
    if (training !== undefined) {
      const names = network.layers.map(({ name }) => name);
      const bound = completeness.isComplete
        ? ''
        : '\nThis is a lower bound: the first line lists the missing layers.';
      console.log(`\n${trainingText(training, names, options.gridIntensity)}${bound}`);
    }
  }
  if (options.strict === true && !completeness.isComplete) {
    throw new CliError('failed', `The total of ${inputName(path)} is not complete (--strict).`);
  }
}

function printed(
  network: Network,
  predicted: readonly (Network['layers'][number] & Prediction)[],
  total: Predictions['total'],
): void {
  const hasEnergy = total.energyMillijoules !== null;
  const rows = predicted.map(
    ({ name, spec, macs, alpha, predictedMs, energyMillijoules, inDomain, note }) => [
      name,
      `${spec.kernel_h}×${spec.kernel_w}${spec.groups > 1 ? ` in ${spec.groups} groups` : ''}`,
      `${spec.height}×${spec.width}`,
      `${spec.cin} → ${spec.cout}`,
      significant(macs / 1e6),
      significant(alpha, 3),
      ms(predictedMs),
      ...(hasEnergy ? [`${significant(energyMillijoules ?? NaN, 3)} mJ`] : []),
      percent(predictedMs / total.predictedMs),
      [...(inDomain ? [] : ['outside the calibrated domain']), ...(note === null ? [] : [note])].join('; '),
    ],
  );
  const columns = ['layer', 'kernel', 'input', 'channels', 'million MACs', 'α', 'time'];
  console.log(table([...columns, ...(hasEnergy ? ['energy'] : []), 'share', ''], rows, 4));
  console.log(`\n${described(network, total)}`);
}

async function predictions({ layers, batch }: Network, options: NetworkOptions): Promise<Predicted> {
  const specs = layers.map(({ spec }) => spec);
  const { gridIntensity: intensity } = options;
  if (options.model !== undefined) {
    const model = await modelIn(options.model);
    const passes = {
      forward: layersInPass(specs, 'forward'),
      'backward-data': layersInPass(specs, 'backward-data'),
      'backward-weights': layersInPass(specs, 'backward-weights'),
    };
    const inTraining = options.training === true ? Object.values(passes).flat() : [];
    const kernels = await kernelsByCudnn(model, [...specs, ...inTraining], options);
    const predict = compileModel(model);
    const of = (some: readonly ConvSpec[]) =>
      some.map((spec) => {
        const key = specKey(spec);
        return { key, prediction: predict(spec, kernels.get(key) ?? null, 'cudnn') };
      });
    const predicted = of(specs);
    const total = predictedTotal(predicted);
    return {
      layers: predicted.map(({ prediction }) => prediction),
      total,
      ...(intensity !== undefined && { emissions: emissionsOf(total, intensity, batch) }),
      ...(options.training === true && {
        training: trainingOf(
          {
            forward: of(passes.forward),
            'backward-data': of(passes['backward-data']),
            'backward-weights': of(passes['backward-weights']),
          },
          {
            ...{ knownPasses: passesOf(model), batch, samples: options.samples },
            gridIntensityGramsPerKwh: intensity,
          },
        ),
      }),
    };
  }
  const { api } = connect(options);
  const { data } = await api.POST('/v1/predictions', {
    body: {
      model: { kind: 'device-class', deviceClassId: options.deviceClass ?? '' },
      layers: specs,
      inferencesPerPass: batch,
      ...(intensity !== undefined && { gridIntensityGramsPerKwh: intensity }),
      ...(options.training === true && {
        training: { ...(options.samples !== undefined && { samples: options.samples }) },
      }),
    },
  });
  if (data === undefined) throw new CliError('failed', 'The coordinator answered without predictions.');
  return data;
}

/**
 * The kernel of each shape by cuDNN on this machine, by the key of the shape; empty if `--cudnn` is absent or cannot be
 * used.
 */
async function kernelsByCudnn(
  model: Model,
  specs: readonly ConvSpec[],
  options: NetworkOptions,
): Promise<Map<string, string>> {
  const kernels = new Map<string, string>();
  const cudnnProcess = await localCudnn(model, options);
  if (cudnnProcess === null) return kernels;
  const distinct = [...new Map(specs.map((spec) => [specKey(spec), spec])).entries()];
  try {
    let at = 0;
    for await (const { kernel } of cudnnProcess.label(distinct.map(([, spec]) => spec))) {
      const [key] = distinct[at++] ?? [];
      if (key !== undefined && kernel !== null) kernels.set(key, kernel);
    }
  } finally {
    cudnnProcess.close();
  }
  return kernels;
}

function described(network: Network, total: Predictions['total']): string {
  const { macs, alphaFlops, predictedMs, lowerMs, upperMs, layersOutsideDomain } = total;
  const interval = lowerMs === null ? 'none' : `${ms(lowerMs)} … ${ms(upperMs)}`;
  const { isComplete, layersFound } = network.completeness;
  const bound = isComplete ? '' : '≥ ';
  return (
    table(
      [
        isComplete
          ? counted(layersFound, 'layer')
          : `${network.layers.length} of ${counted(layersFound, 'layer')} (lower bound)`,
        '',
      ],
      [
        ['time', `${bound}${ms(predictedMs)}`],
        ['interval', interval],
        ['multiply-adds', `${bound}${significant(macs)}`],
        ['α-FLOPs', `${bound}${significant(alphaFlops)}`],
        ['layers outside the calibrated domain', String(layersOutsideDomain)],
        ...energyRows(total),
      ],
    ) + `\nNot costed${leftOut(network) || ': nothing'}.`
  );
}

function energyRows({
  energyMillijoules,
  energyWh,
  lowerEnergyMillijoules,
  upperEnergyMillijoules,
}: Predictions['total']): string[][] {
  if (energyMillijoules === null) return [];
  const mj = (value: number) => `${significant(value)} mJ`;
  return [
    ['energy', `${mj(energyMillijoules)} = ${significant(energyWh ?? NaN)} Wh`],
    [
      'interval',
      lowerEnergyMillijoules === null || upperEnergyMillijoules === null
        ? 'none'
        : `${mj(lowerEnergyMillijoules)} … ${mj(upperEnergyMillijoules)}`,
    ],
  ];
}

/** null: the model has no energy. */
function describedEmissions(emissions: NonNullable<Predictions['emissions']> | null): string {
  if (emissions === null) {
    return '\nNo CO2e: this model has no energy. A model has energy if samples of ten shapes or more have energy.';
  }
  const { gridIntensityGramsPerKwh, inferencesPerPass, perInference, perMillionInferences } = emissions;
  const range = (lower: number | null, upper: number | null, unit: string) =>
    lower === null || upper === null ? '' : ` (${significant(lower)} … ${significant(upper)} ${unit})`;
  const { grams, lowerGrams, upperGrams } = perInference;
  const { kilograms, lowerKilograms, upperKilograms } = perMillionInferences;
  return (
    `\n${table(
      [`CO2e at ${significant(gridIntensityGramsPerKwh)} g/kWh`, ''],
      [
        ['per inference', `${significant(grams)} g${range(lowerGrams, upperGrams, 'g')}`],
        [
          'per million inferences',
          `${significant(kilograms)} kg${range(lowerKilograms, upperKilograms, 'kg')}`,
        ],
      ],
    )}` +
    `\nThe CO2e covers only the electricity that the accelerator uses for these layers, with ${inferencesPerPass} inferences per pass.`
  );
}

function leftOut({ notCosted }: Network): string {
  if (notCosted.length === 0) return '';
  const each = notCosted.map(({ op, count, reason, macs }) => {
    const about = [reason, macs === null ? null : `${significant(macs)} multiply-adds`].filter(
      (part) => part !== null,
    );
    return `${count} ${op}${about.length === 0 ? '' : ` (${about.join('; ')})`}`;
  });
  return `: ${each.join(', ')}`;
}
