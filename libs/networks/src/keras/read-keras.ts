import { z } from 'zod';
import { resolveInputs } from '../inputs.js';
import { NetworkBuilder } from '../network-builder.js';
import { NetworkError, type Network, type NetworkFormat, type ReadOptions } from '../network.js';
import { sized, UNKNOWN } from '../tensors/tensor.js';
import { KerasObjectSchema, type KerasObject } from './config.js';
import { describedInputs, isModel } from './model.js';
import { ModelRun } from './run-model.js';

/**
 * Reads the layers of a model from the result of `model.to_json()` of Keras. The topology of a TensorFlow.js layers
 * model and the config.json of a .keras archive have the same format.
 *
 * @throws NetworkError `malformed`, `unknown-size`, `bad-option`
 */
export function readKeras(json: unknown, format: NetworkFormat, options: ReadOptions = {}): Network {
  const model = parsed(json);
  const builder = new NetworkBuilder();
  try {
    const described = describedInputs(model);
    const inputs = resolveInputs(described, options).inputs.map(({ name, shape }) =>
      shape === null ? { ...UNKNOWN, lostAt: { name, op: 'input' } } : sized(shape, null),
    );
    builder.batch = inputs[0]?.shape?.[0] ?? null;
    new ModelRun(builder, builder.batch ?? 1).model(model, inputs);
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    const [issue] = error.issues;
    throw new NetworkError(
      'malformed',
      `A layer of this model has an invalid setting: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}.`,
      { cause: error },
    );
  }
  return builder.build(format, model.config.name ?? null);
}

function parsed(json: unknown): KerasObject {
  const model = KerasObjectSchema.safeParse(json);
  if (model.success && isModel(model.data)) return model.data;
  throw new NetworkError(
    'malformed',
    'This JSON file contains no Keras model (class_name Functional, Model or Sequential).',
  );
}
