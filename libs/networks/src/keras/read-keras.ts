import { z } from 'zod';
import { NetworkBuilder } from '../network-builder.js';
import { checkAxes, NetworkError, type Network, type NetworkFormat, type ReadOptions } from '../network.js';
import type { Shape } from '../shapes.js';
import { applications, BatchShapeSchema, KerasObjectSchema, type KerasObject } from './config.js';
import { applied } from './layers.js';

const MODELS = new Set(['Model', 'Functional', 'Sequential']);
/** Models inside models. */
const DEEPEST = 16;

/**
 * The layers of a model as Keras' `model.to_json()` gives it, which is also the topology of a TensorFlow.js layers model.
 *
 * @throws NetworkError `malformed`, `unknown-size`, `bad-option`.
 */
export function readKeras(json: unknown, format: NetworkFormat, options: ReadOptions = {}): Network {
  const model = parsed(json);
  const layers = new NetworkBuilder();
  try {
    applyModel(model, null, { layers, options, depth: 0 });
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    const [issue] = error.issues;
    throw new NetworkError(
      'malformed',
      `A layer of this model has a wrong setting: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}.`,
      { cause: error },
    );
  }
  return layers.build(format, model.config.name ?? null);
}

function parsed(json: unknown): KerasObject {
  const model = KerasObjectSchema.safeParse(json);
  if (model.success && MODELS.has(model.data.class_name)) return model.data;
  throw new NetworkError(
    'malformed',
    'This JSON holds no Keras model (class_name Functional, Model or Sequential).',
  );
}

interface Walk {
  readonly layers: NetworkBuilder;
  readonly options: ReadOptions;
  readonly depth: number;
}

/** Output of a model applied to inputs; without inputs, to those that the file describes. */
function applyModel(model: KerasObject, inputs: readonly (Shape | null)[] | null, walk: Walk): Shape | null {
  if (walk.depth > DEEPEST) {
    throw new NetworkError('malformed', `The model has models inside each other, more than ${DEEPEST} deep.`);
  }
  const inside = { ...walk, depth: walk.depth + 1 };
  // Keras 1 has the layers of a Sequential as its config itself.
  const layers = z
    .array(KerasObjectSchema)
    .parse(Array.isArray(model.config) ? model.config : model.config['layers']);
  return model.class_name === 'Sequential'
    ? applySequential(model, layers, inputs, inside)
    : applyFunctional(model, layers, inputs, inside);
}

function applySequential(
  model: KerasObject,
  layers: readonly KerasObject[],
  inputs: readonly (Shape | null)[] | null,
  walk: Walk,
): Shape | null {
  const described = layers[0]?.config['batch_input_shape'] ?? layers[0]?.config['batch_shape'];
  let shape =
    inputs === null ? inputShape(described ?? model.config['build_input_shape'], walk) : (inputs[0] ?? null);
  for (const layer of layers) shape = applyLayer(layer, [shape], walk);
  return shape;
}

function applyFunctional(
  model: KerasObject,
  layers: readonly KerasObject[],
  inputs: readonly (Shape | null)[] | null,
  walk: Walk,
): Shape | null {
  const outputs = new Map<string, Shape | null>();
  let inputsSeen = 0;
  let last: Shape | null = null;
  for (const layer of layers) {
    const name = layer.config.name ?? layer.name ?? '';
    if (layer.class_name === 'InputLayer') {
      const { batch_input_shape, batch_shape } = layer.config;
      const given = inputs === null ? undefined : inputs[inputsSeen];
      outputs.set(
        `${name} 0`,
        given === undefined ? inputShape(batch_input_shape ?? batch_shape, walk) : given,
      );
      inputsSeen += 1;
      continue;
    }
    for (const [at, origins] of applications(layer.inbound_nodes ?? []).entries()) {
      const found = origins.map(([from, node]) => outputs.get(`${from} ${node}`) ?? null);
      last = applyLayer(layer, found, walk);
      outputs.set(`${name} ${at}`, last);
    }
  }
  const [output] = applications([model.config['output_layers'] ?? []]).flat();
  return output === undefined ? last : (outputs.get(`${output[0]} ${output[1]}`) ?? null);
}

function applyLayer(layer: KerasObject, inputs: readonly (Shape | null)[], walk: Walk): Shape | null {
  walk.layers.visit();
  const { class_name: op } = layer;
  const name = layer.config.name ?? op;
  if (MODELS.has(op)) return applyModel(layer, inputs, walk);
  const known = inputs.filter((shape) => shape !== null);
  const result = known.length === inputs.length && known.length > 0 ? applied(layer, known) : null;
  if (result === null || result.costs.length === 0) {
    const isConv = /conv|dense/i.test(op);
    if (op !== 'InputLayer')
      walk.layers.notCosted(op, isConv ? 'size of its input not known, or a layer of its own kind' : null);
    return result?.shape ?? null;
  }
  for (const cost of result.costs) walk.layers.costed(name, op, cost);
  return result.shape;
}

function inputShape(described: unknown, walk: Walk): Shape {
  const shape = shapeOfInput(described, walk);
  walk.layers.batch ??= shape[0] ?? null;
  return shape;
}

function shapeOfInput(described: unknown, { options, depth }: Walk): Shape {
  const found = BatchShapeSchema.safeParse(described).data;
  if (options.inputShape !== undefined && depth === 1) {
    checkAxes(options.inputShape, found ?? [], '');
    return options.inputShape;
  }
  const [batch, ...sizes] = found ?? [null, null];
  const known = sizes.filter((size) => size !== null);
  if (known.length === sizes.length) return [options.batch ?? batch ?? 1, ...known];
  throw new NetworkError(
    'unknown-size',
    `The file leaves the size of its input open (${sizes.map((size) => size ?? '?').join('x')}). ` +
      'Give it, batch first, for example 1x224x224x3.',
  );
}
