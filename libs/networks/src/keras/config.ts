import { z } from 'zod';

/** A layer or a model in Keras' own JSON, of versions 1 to 3; what is not needed is let pass. */
export const KerasObjectSchema = z.looseObject({
  class_name: z.string(),
  name: z.string().optional(),
  config: z.looseObject({ name: z.string().optional() }),
  inbound_nodes: z.array(z.unknown()).optional(),
});
export type KerasObject = z.infer<typeof KerasObjectSchema>;

const size = z.number().int().positive();
const pair = z.union([
  size.transform((both) => [both, both] as [number, number]),
  z
    .tuple([size], size)
    .transform((sizes) => [sizes.length === 1 ? 1 : sizes[0], sizes.at(-1) ?? 1] as [number, number]),
]);
const padding = z.string().transform((word) => word.toLowerCase());

/** Options of the layers that move a window. Defaults: Keras' own. */
export const WindowSchema = z.object({
  filters: size.optional(),
  kernel_size: pair.optional(),
  pool_size: pair.optional(),
  strides: pair.nullish(),
  padding: padding.default('valid'),
  dilation_rate: pair.default([1, 1]),
  groups: size.default(1),
  depth_multiplier: size.default(1),
  data_format: z.string().nullish(),
});
export type Window = z.infer<typeof WindowSchema>;

/** Sizes with the batch first; null for what is left open. */
export const BatchShapeSchema = z.array(z.number().int().positive().nullable());

/** A step along one spatial axis would be given as a list of one; along two, as a list of two or one number. */
const sides = z.union([
  z
    .number()
    .int()
    .transform((all) => [
      [all, all],
      [all, all],
    ]),
  z
    .array(z.union([z.number().int(), z.array(z.number().int())]))
    .transform((axes) => axes.map((axis) => (typeof axis === 'number' ? [axis, axis] : axis))),
]);
export const SidesSchema = z.object({
  padding: sides.optional(),
  cropping: sides.optional(),
  data_format: z.string().nullish(),
});

/** From which layers an application of a layer takes its inputs: `[name, number of that layer’s application]`. */
export type Origin = readonly [layer: string, node: number];

/** The applications of a layer, each with its inputs; Keras 2 lists them, Keras 3 has them inside the call’s arguments. */
export function applications(inboundNodes: readonly unknown[]): Origin[][] {
  return inboundNodes.map((node) => origins(node, 0));
}

const HISTORY = z.object({
  config: z.object({ keras_history: z.tuple([z.string(), z.number()], z.unknown()) }),
});
const DEEPEST = 8;

function origins(node: unknown, depth: number): Origin[] {
  if (typeof node !== 'object' || node === null || depth > DEEPEST) return [];
  const history = HISTORY.safeParse(node);
  if (history.success) {
    const [name, at] = history.data.config.keras_history;
    return [[name, at]];
  }
  if (!Array.isArray(node)) return Object.values(node).flatMap((value) => origins(value, depth + 1));
  const [name, at] = node as unknown[];
  if (typeof name === 'string' && typeof at === 'number') return [[name, at]];
  return node.flatMap((value) => origins(value, depth + 1));
}
