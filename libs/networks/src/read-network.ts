import { errorText } from '@alphaflops/contracts';
import { allBytes, bytesSource, type ByteSource } from './byte-source.js';
import { readKeras } from './keras/read-keras.js';
import { LAYER_LIST, readLayerList } from './layer-list.js';
import { NetworkError, type Network, type ReadOptions } from './network.js';
import { readOnnx } from './onnx/read-onnx.js';
import { refuseArchive, refuseOtherFormats } from './other-formats.js';
import { readGraph } from './tensorflow/read-graph.js';
import { unzipped, zipEntries } from './zip.js';

/** Larger files are refused. The largest networks keep their weights in separate files. */
export const MAX_NETWORK_BYTES = 2 ** 31 - 1;
/** The JSON of a model without weights is far smaller. */
export const MAX_TOPOLOGY_BYTES = 64 * 2 ** 20;
const MAX_AXES = 8;
/** The file of a .keras archive that describes the model. */
const KERAS_CONFIG = 'config.json';

/**
 * Returns the convolutions and dense layers of a network file, with their sizes. Formats: ONNX, Keras' JSON or a
 * .keras archive, the `model.json` of TensorFlow.js (layers or graph), or the list of layers that
 * `tools/export_pytorch.py` writes. The content determines the format. Weights are not loaded, and the weight files
 * are not required.
 *
 * @throws NetworkError with a code and a message for the user, for any content of the file
 */
export function readNetwork(file: Uint8Array | ByteSource, options: ReadOptions = {}): Network {
  const source = 'read' in file ? file : bytesSource(file);
  checkOptions(options);
  checkSize(source.size, MAX_NETWORK_BYTES);
  const start = source.read(0, Math.min(source.size, 64));
  if (isZip(start)) return readKeras(parsed(kerasConfig(source)), 'keras', options);
  if (!looksLikeJson(start)) {
    refuseOtherFormats(source);
    return readOnnx(source, options);
  }
  checkSize(source.size, MAX_TOPOLOGY_BYTES);
  return readJson(parsed(allBytes(source)), options);
}

/**
 * Checks the size of a file before it is loaded.
 *
 * @throws NetworkError `too-large`
 */
export function checkSize(bytes: number, most = MAX_NETWORK_BYTES): void {
  if (bytes <= most) return;
  const mebibytes = (count: number) => `${Math.round(count / 2 ** 20)} MiB`;
  throw new NetworkError('too-large', `The file has ${mebibytes(bytes)}. The limit is ${mebibytes(most)}.`);
}

function readJson(json: Record<string, unknown>, options: ReadOptions): Network {
  if (isObject(json['modelTopology'])) {
    const topology = json['modelTopology'];
    return Array.isArray(topology['node'])
      ? readGraph(json, options)
      : readKeras(topology['model_config'] ?? topology, 'tfjs-layers', options);
  }
  if (json['format'] === LAYER_LIST) return readLayerList(json, options);
  if (typeof json['class_name'] === 'string') return readKeras(json, 'keras', options);
  throw new NetworkError(
    'unknown-format',
    'This JSON is neither a Keras model (class_name, config), nor a TensorFlow.js model.json (modelTopology), ' +
      `nor a list of layers (format ${LAYER_LIST}).`,
  );
}

function isZip(start: Uint8Array): boolean {
  return [0x50, 0x4b].every((byte, at) => start[at] === byte) && (start[2] ?? 0) < 8;
}

function kerasConfig(source: ByteSource): Uint8Array {
  const entries = zipEntries(source);
  const names = entries.map(({ name }) => name);
  const config = entries.find(({ name }) => name === KERAS_CONFIG);
  if (
    config === undefined ||
    !names.some((name) => name === 'metadata.json' || name.endsWith('.weights.h5'))
  ) {
    throw refuseArchive(names);
  }
  return unzipped(source, config, MAX_TOPOLOGY_BYTES);
}

function checkOptions({ batch = 1, inputShape = [1], inputs = {} }: ReadOptions): void {
  const isSize = (size: number) => Number.isSafeInteger(size) && size >= 1;
  if (!isSize(batch)) {
    throw new NetworkError('bad-option', `The batch must be an integer of at least 1, not ${batch}.`);
  }
  for (const sizes of [inputShape, ...Object.values(inputs)]) {
    if (sizes.length > 0 && sizes.length <= MAX_AXES && sizes.every(isSize)) continue;
    throw new NetworkError(
      'bad-option',
      `The input must have 1 to ${MAX_AXES} sizes of at least 1, for example 1x3x224x224, not ${sizes.join('x')}.`,
    );
  }
}

/** An ONNX file starts with the number of a field, which is neither a brace nor white space. */
function looksLikeJson(start: Uint8Array): boolean {
  return new TextDecoder().decode(start).trimStart().startsWith('{');
}

function parsed(file: Uint8Array): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(file));
    if (isObject(json)) return json;
  } catch (error) {
    const reason = errorText(error);
    throw new NetworkError('malformed', `This is not a valid JSON file: ${reason}.`, { cause: error });
  }
  throw new NetworkError('unknown-format', 'This JSON file contains no model.');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
