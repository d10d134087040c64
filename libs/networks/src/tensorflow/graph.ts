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

/** The part of a TensorFlow.js graph model's `model.json` that sizes need. Names: TensorFlow's `graph.proto`. */
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

/** Sizes, −1 where one is open; null where not even the number of axes is known. */
export function dims(shape: z.infer<typeof ShapeSchema> | undefined): number[] | null {
  if (shape === undefined || shape.unknownRank === true) return null;
  return (shape.dim ?? []).map(({ size }) => size);
}

/** Sizes that are all known. */
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
  // By their numbers in types.proto, as old files have them.
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

/** Where data comes from; inputs that only say "after this" carry none. */
export function sources({ input }: GraphNode): { name: string; output: number }[] {
  return (input ?? []).filter((name) => !name.startsWith('^')).map(sourceOf);
}

/** `name`, `name:1` of a graph, and `name:output:0` inside a function. */
export function sourceOf(reference: string): { name: string; output: number } {
  const [name = '', ...rest] = reference.split(':');
  return { name, output: Number(rest.at(-1) ?? 0) };
}
