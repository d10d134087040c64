import { z } from 'zod';
import type { DescribedInput } from '../inputs.js';
import { BatchShapeSchema, KerasObjectSchema, type KerasObject } from './config.js';

const MODELS = new Set(['Model', 'Functional', 'Sequential']);
/** Maximum depth of nested models. */
export const DEEPEST = 16;

export function isModel({ class_name }: KerasObject): boolean {
  return MODELS.has(class_name);
}

/** In Keras 1, the config of a Sequential is the list of its layers. */
export function layersOf({ config }: KerasObject): readonly KerasObject[] {
  const given = Array.isArray(config) ? (config as unknown[]) : config['layers'];
  const known = typeof given === 'object' && given !== null ? PARSED.get(given) : undefined;
  if (known !== undefined) return known;
  const layers = z.array(KerasObjectSchema).parse(given);
  PARSED.set(given as object, layers);
  return layers;
}

/** A nested model may be applied many times. */
const PARSED = new WeakMap<object, readonly KerasObject[]>();

export function nameOf(layer: KerasObject): string {
  return layer.config.name ?? layer.name ?? '';
}

/** Returns the inputs of a model with their sizes, batch first. */
export function describedInputs(model: KerasObject, depth = 0): DescribedInput[] {
  const layers = layersOf(model);
  if (model.class_name !== 'Sequential') {
    return layers
      .filter(({ class_name }) => class_name === 'InputLayer')
      .map((layer) => ({ name: nameOf(layer), sizes: shapeOfInput(layer) }));
  }
  const [first] = layers;
  if (first === undefined) return [];
  if (isModel(first) && depth < DEEPEST) return describedInputs(first, depth + 1).slice(0, 1);
  const sizes =
    shapeOfInput(first) ??
    recordedShape(model.config['build_input_shape']) ??
    recordedShape(model.build_config?.input_shape) ??
    recordedShape(first.build_config?.input_shape);
  return [{ name: nameOf(first), sizes }];
}

function shapeOfInput({ config }: KerasObject): (number | null)[] | null {
  return recordedShape(config['batch_input_shape'] ?? config['batch_shape']);
}

/** Returns sizes that a file records, with null for an open size. Returns null for any other value. */
export function recordedShape(value: unknown): (number | null)[] | null {
  return BatchShapeSchema.safeParse(value).data ?? null;
}
