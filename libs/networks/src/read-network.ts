import { LAYER_LIST, readLayerList } from './layer-list.js';
import { readKeras } from './keras/read-keras.js';
import { NetworkError, type Network, type ReadOptions } from './network.js';
import { readOnnx } from './onnx/read-onnx.js';
import { readGraph } from './tensorflow/read-graph.js';

/** A larger file is refused: the largest networks keep their weights in files of their own. */
export const MAX_NETWORK_BYTES = 2 ** 31 - 1;
/** A model's JSON without weights is far smaller. */
export const MAX_TOPOLOGY_BYTES = 64 * 2 ** 20;
const MAX_AXES = 8;

/** Files that frameworks keep networks in and that are not read here, by their first bytes. */
const CONTAINERS = [
  {
    magic: [0x50, 0x4b, 0x03, 0x04],
    advice:
      'This is a ZIP archive. Of a .keras file give the config.json in it; of a PyTorch model, ' +
      'what tools/export_pytorch.py writes, or an ONNX file.',
  },
  {
    magic: [0x89, 0x48, 0x44, 0x46],
    advice: 'This is an HDF5 file. Give what model.to_json() of Keras says instead.',
  },
];

/**
 * The convolutions and dense layers of a network file, with their sizes: ONNX, Keras' JSON, the `model.json` of
 * TensorFlow.js (layers or graph), or the list of layers that `tools/export_pytorch.py` writes. Which it is, the content says. Weights are not looked at and need not be there.
 *
 * @throws NetworkError with a code and words for people, whatever the file holds.
 */
export function readNetwork(file: Uint8Array, options: ReadOptions = {}): Network {
  checkOptions(options);
  if (file.byteLength > MAX_NETWORK_BYTES) throw tooLarge(file, MAX_NETWORK_BYTES);
  const container = CONTAINERS.find(({ magic }) => magic.every((byte, at) => file[at] === byte));
  if (container !== undefined) throw new NetworkError('malformed', container.advice);
  if (!looksLikeJson(file)) return readOnnx(file, options);
  if (file.byteLength > MAX_TOPOLOGY_BYTES) throw tooLarge(file, MAX_TOPOLOGY_BYTES);
  const json = parsed(file);
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

function checkOptions({ batch = 1, inputShape = [1] }: ReadOptions): void {
  const isSize = (size: number) => Number.isSafeInteger(size) && size >= 1;
  if (!isSize(batch))
    throw new NetworkError('bad-option', `The batch must be a whole number from 1 on, not ${batch}.`);
  if (inputShape.length === 0 || inputShape.length > MAX_AXES || !inputShape.every(isSize)) {
    throw new NetworkError(
      'bad-option',
      `The input must be given as 1 to ${MAX_AXES} sizes from 1 on, for example 1x3x224x224, not ${inputShape.join('x')}.`,
    );
  }
}

/** The first thing in an ONNX file is a field's number, which is no brace and no white space. */
function looksLikeJson(file: Uint8Array): boolean {
  const start = new TextDecoder().decode(file.subarray(0, 64)).trimStart();
  return start.startsWith('{');
}

function parsed(file: Uint8Array): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(file));
    if (isObject(json)) return json;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new NetworkError('malformed', `This is no whole JSON file: ${reason}.`, { cause: error });
  }
  throw new NetworkError('unknown-format', 'This JSON holds no model.');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function tooLarge(file: Uint8Array, most: number): NetworkError {
  const mebibytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
  return new NetworkError(
    'too-large',
    `The file has ${mebibytes(file.byteLength)}; at most ${mebibytes(most)} are read.`,
  );
}
