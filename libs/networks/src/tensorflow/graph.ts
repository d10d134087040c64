import { z } from 'zod';
import type { Shape } from '../shapes.js';
import type { ElementType } from '../tensors/tensor.js';

const int = z.union([z.number(), z.string()]).transform(Number);
const text = z.base64().transform((base64) => atob(base64));
const type = z.union([z.string(), z.number()]);
const ShapeSchema = z.object({
  dim: z.array(z.object({ size: int.default(-1) })).nullish(),
  unknownRank: z.boolean().optional(),
});

const AttributeSchema = z.object({
  s: text.optional().catch(undefined),
  i: int.optional(),
  b: z.boolean().optional(),
  type: type.optional(),
  list: z
    .object({
      i: z.array(int).nullish(),
      shape: z.array(ShapeSchema).nullish(),
    })
    .optional()
    .catch(undefined),
  shape: ShapeSchema.optional(),
  tensor: z.object({ dtype: type.optional(), tensorShape: ShapeSchema.optional() }).optional(),
  func: z.object({ name: z.string() }).optional(),
});

const NodeSchema = z.object({
  name: z.string(),
  op: z.string(),
  input: z.array(z.string()).nullish(),
  attr: z.record(z.string(), AttributeSchema).nullish(),
});

const ArgumentSchema = z.object({ name: z.string(), type: type.optional() });
const FunctionSchema = z.object({
  signature: z.object({
    name: z.string(),
    inputArg: z.array(ArgumentSchema).nullish(),
    outputArg: z.array(ArgumentSchema).nullish(),
  }),
  nodeDef: z.array(NodeSchema).nullish(),
  ret: z.record(z.string(), z.string()).nullish(),
});

const ManifestSchema = z.array(
  z.object({
    paths: z.array(z.string()),
    weights: z.array(
      z.object({
        name: z.string(),
        shape: z.array(z.number().int().min(0)),
        dtype: z.string(),
        quantization: z.object({ dtype: z.string() }).optional(),
      }),
    ),
  }),
);

/**
 * The part of the `model.json` of a TensorFlow.js graph model that is needed for sizes. The names are those of
 * `graph.proto` of TensorFlow.
 */
export const GraphModelSchema = z.object({
  modelTopology: z.object({
    node: z.array(NodeSchema),
    library: z.object({ function: z.array(FunctionSchema).nullish() }).nullish(),
  }),
  weightsManifest: ManifestSchema.nullish(),
});

export type GraphModel = z.infer<typeof GraphModelSchema>;
export type GraphNode = z.infer<typeof NodeSchema>;
export type GraphFunction = z.infer<typeof FunctionSchema>;
export type WeightsManifest = z.infer<typeof ManifestSchema>;

/** Sizes, with −1 for an open size; null if the number of axes is unknown. */
export function dims(shape: z.infer<typeof ShapeSchema> | undefined): number[] | null {
  if (shape === undefined || shape.unknownRank === true) return null;
  return (shape.dim ?? []).map(({ size }) => size);
}

/** Returns the sizes if all of them are known. */
export function knownDims(shape: z.infer<typeof ShapeSchema> | undefined): Shape | null {
  const sizes = dims(shape);
  return sizes?.every((size) => size >= 0) === true ? sizes : null;
}

const TYPES: Readonly<Record<string, ElementType>> = {
  ...{
    DT_FLOAT: 'f32',
    DT_DOUBLE: 'f64',
    DT_HALF: 'f16',
    DT_BFLOAT16: 'bf16',
    DT_INT64: 'i64',
    DT_INT32: 'i32',
  },
  ...{
    DT_INT16: 'i16',
    DT_INT8: 'i8',
    DT_UINT8: 'u8',
    DT_BOOL: 'bool',
    DT_STRING: 'text',
    DT_COMPLEX64: 'c64',
  },
  // Old files have the numbers of types.proto.
  ...{
    1: 'f32',
    2: 'f64',
    3: 'i32',
    4: 'u8',
    5: 'i16',
    6: 'i8',
    7: 'text',
    9: 'i64',
    10: 'bool',
    14: 'bf16',
    19: 'f16',
  },
};

export function typeOf(name: string | number | undefined): ElementType | null {
  return name === undefined ? null : (TYPES[name] ?? null);
}

/** Returns the inputs that carry data. Control inputs carry none. */
export function sources({ input }: GraphNode): { name: string; output: number }[] {
  return (input ?? []).filter((name) => !name.startsWith('^')).map(sourceOf);
}

/** Parses a reference to a value: `name` or `name:1` in a graph, `name:output:0` inside a function. */
export function sourceOf(reference: string): { name: string; output: number } {
  const [name = '', ...rest] = reference.split(':');
  return { name, output: Number(rest.at(-1) ?? 0) };
}
