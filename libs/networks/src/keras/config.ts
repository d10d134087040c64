import { z } from 'zod';
import type { ElementType } from '../tensors/tensor.js';

/** A layer or a model in the JSON of Keras, versions 1 to 3. Unused fields may have any form. */
export const KerasObjectSchema = z.looseObject({
  class_name: z.string(),
  module: z.string().nullish(),
  name: z.string().nullish(),
  config: z.looseObject({ name: z.string().nullish() }),
  inbound_nodes: z.array(z.unknown()).nullish(),
  build_config: z.looseObject({ input_shape: z.unknown().optional() }).nullish(),
});
export type KerasObject = z.infer<typeof KerasObjectSchema>;

const size = z.number().int().positive();
const sizes = z.union([size, z.array(size).min(1).max(3)]);
const padding = z.string().transform((word) => word.toLowerCase());

/** Options of layers with a sliding window. The defaults are those of Keras. */
export const WindowSchema = z.object({
  filters: size.optional(),
  kernel_size: sizes.optional(),
  pool_size: sizes.optional(),
  strides: sizes.nullish(),
  padding: padding.default('valid'),
  output_padding: z.union([z.number().int(), z.array(z.number().int())]).nullish(),
  dilation_rate: sizes.default(1),
  groups: size.default(1),
  depth_multiplier: size.default(1),
  data_format: z.string().nullish(),
});
export type Window = z.infer<typeof WindowSchema>;

/** One number per axis. A single number applies to all axes. */
export function eachAxis(given: number | readonly number[], axes: number): number[] {
  return typeof given === 'number' ? Array.from({ length: axes }, () => given) : [...given];
}

/** Sizes with the batch first; null for an open size. */
export const BatchShapeSchema = z.array(z.number().int().positive().nullable());

/** Padding before and after each axis: one number for all axes, one number per axis, or a pair per axis. */
export const SidesSchema = z.object({
  padding: z
    .union([z.number().int(), z.array(z.union([z.number().int(), z.array(z.number().int())]))])
    .optional(),
  cropping: z
    .union([z.number().int(), z.array(z.union([z.number().int(), z.array(z.number().int())]))])
    .optional(),
  data_format: z.string().nullish(),
});

/** Returns the compute type of a layer from its policy: `mixed_float16` stores weights in f32 and multiplies in f16. */
export function computeType(policy: unknown): ElementType {
  const name = policyName(policy);
  if (name.includes('bfloat16')) return 'bf16';
  if (name.includes('float16')) return 'f16';
  if (name.startsWith('int8')) return 'i8';
  return name === 'float64' ? 'f64' : 'f32';
}

const POLICY = z.object({ config: z.object({ name: z.string() }) });

function policyName(policy: unknown): string {
  if (typeof policy === 'string') return policy;
  const found = policy == null ? undefined : POLICY.safeParse(policy).data;
  return found?.config.name ?? 'float32';
}

/** The source of an input tensor: the layer, the index of its application, and the index of the output. */
export interface Origin {
  readonly layer: string;
  readonly node: number;
  readonly output: number;
  /** The sizes that version 3 records; null for an open size, or if none are recorded. */
  readonly recorded: readonly (number | null)[] | null;
}

/**
 * Returns the applications of a layer, each with its inputs. Keras 2 lists the inputs; Keras 3 has them in the
 * arguments of the call.
 */
export function applications(inboundNodes: readonly unknown[]): Origin[][] {
  return inboundNodes.map((node) => origins(node, 0));
}

const HISTORY = z.object({
  config: z.object({
    shape: BatchShapeSchema.optional().catch(undefined),
    keras_history: z.tuple([z.string(), z.number(), z.number()]),
  }),
});
const DEEPEST = 8;

export function origins(node: unknown, depth = 0): Origin[] {
  if (typeof node !== 'object' || node === null || depth > DEEPEST) return [];
  if (!Array.isArray(node)) {
    const history = 'config' in node ? HISTORY.safeParse(node).data : undefined;
    if (history === undefined) return Object.values(node).flatMap((value) => origins(value, depth + 1));
    const { shape, keras_history } = history.config;
    const [layer, at, output] = keras_history;
    return [{ layer, node: at, output, recorded: shape ?? null }];
  }
  const [layer, at, output] = node as unknown[];
  if (typeof layer === 'string' && typeof at === 'number') {
    // A fourth element holds the other arguments of the call. Some of them may be tensors.
    const others = (node as unknown[]).slice(3).flatMap((value) => origins(value, depth + 1));
    return [{ layer, node: at, output: typeof output === 'number' ? output : 0, recorded: null }, ...others];
  }
  return node.flatMap((value) => origins(value, depth + 1));
}
