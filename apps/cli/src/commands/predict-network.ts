import type { Prediction, Predictions } from '@alphaflops/contracts';
import { compileModel, parseModel, predictedTotal } from '@alphaflops/models';
import { type Network, NetworkError, readNetwork } from '@alphaflops/networks';
import { connect, type ConnectionOptions } from '../connection.js';
import { CliError } from '../error.js';
import { inputName, readBytes, readText } from '../files.js';
import { json, ms, percent, significant, table } from '../tables.js';

export interface NetworkOptions extends ConnectionOptions {
  model?: string;
  deviceClass?: string;
  batch?: number;
  input?: number[];
  json?: true;
}

/** A network's layers with what each costs, and the total. The file is read here; a coordinator is only asked about layers. */
export async function predictNetwork(path: string, options: NetworkOptions): Promise<void> {
  const network = await networkFrom(path, options);
  if (network.layers.length === 0) {
    throw new CliError('bad-input', `${inputName(path)} has no layer that can be costed${leftOut(network)}.`);
  }
  const { layers, total } = await predictions(network, options);
  const predicted = network.layers.map((layer, at) => ({ ...layer, ...(layers[at] as Prediction) }));
  if (options.json === true) {
    console.log(json({ ...network, layers: predicted, total }));
    return;
  }
  const rows = predicted.map(({ name, spec, macs, alpha, predictedMs, inDomain, note }) => [
    name,
    `${spec.kernel_h}×${spec.kernel_w}${spec.groups > 1 ? ` in ${spec.groups} groups` : ''}`,
    `${spec.height}×${spec.width}`,
    `${spec.cin} → ${spec.cout}`,
    significant(macs / 1e6),
    significant(alpha, 3),
    ms(predictedMs),
    percent(predictedMs / total.predictedMs),
    [...(inDomain ? [] : ['outside the calibrated domain']), ...(note === null ? [] : [note])].join('; '),
  ]);
  console.log(
    table(['layer', 'kernel', 'input', 'channels', 'million MACs', 'α', 'time', 'share', ''], rows, 4),
  );
  console.log(`\n${described(network, total)}`);
}

async function networkFrom(path: string, { batch, input }: NetworkOptions): Promise<Network> {
  try {
    return readNetwork(await readBytes(path), {
      ...(batch !== undefined && { batch }),
      ...(input !== undefined && { inputShape: input }),
    });
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    const hint = error.code === 'unknown-size' ? ' (--input)' : '';
    throw new CliError('bad-input', `${inputName(path)}: ${error.message}${hint}`, { cause: error });
  }
}

async function predictions(
  { layers }: Network,
  options: NetworkOptions,
): Promise<Pick<Predictions, 'layers' | 'total'>> {
  const specs = layers.map(({ spec }) => spec);
  if (options.model !== undefined) {
    const predict = compileModel(parseModel(await readText(options.model)));
    const predicted = specs.map((spec) => ({ spec, prediction: predict(spec) }));
    return {
      layers: predicted.map(({ prediction }) => prediction),
      total: predictedTotal(predicted),
    };
  }
  const { api } = connect(options);
  const { data } = await api.POST('/v1/predictions', {
    body: { model: { kind: 'device-class', deviceClassId: options.deviceClass ?? '' }, layers: specs },
  });
  if (data === undefined) throw new CliError('failed', 'The coordinator answered without predictions.');
  return data;
}

function described(network: Network, total: Predictions['total']): string {
  const { macs, alphaFlops, predictedMs, lowerMs, upperMs, layersOutsideDomain } = total;
  const interval = lowerMs === null ? 'none' : `${ms(lowerMs)} … ${ms(upperMs)}`;
  return (
    table(
      [`${network.layers.length} layers`, ''],
      [
        ['time', ms(predictedMs)],
        ['interval', interval],
        ['multiply-adds', significant(macs)],
        ['α-FLOPs', significant(alphaFlops)],
        ['layers outside the calibrated domain', String(layersOutsideDomain)],
      ],
    ) + `\nNot costed${leftOut(network) || ': nothing'}.`
  );
}

function leftOut({ notCosted }: Network): string {
  if (notCosted.length === 0) return '';
  const each = notCosted.map(
    ({ op, count, reason }) => `${count} ${op}${reason === null ? '' : ` (${reason})`}`,
  );
  return `: ${each.join(', ')}`;
}
