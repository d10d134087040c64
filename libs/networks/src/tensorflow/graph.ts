import { z } from 'zod';

const int = z.union([z.number(), z.string()]).transform(Number);
const text = z.base64().transform((base64) => atob(base64));
const ShapeSchema = z.object({ dim: z.array(z.object({ size: int })).default([]) });

const AttributeSchema = z.object({
  s: text.optional(),
  b: z.boolean().optional(),
  type: z.string().optional(),
  list: z.object({ i: z.array(int).default([]), s: z.array(text).default([]) }).optional(),
  shape: ShapeSchema.optional(),
  tensor: z.object({ dtype: z.string().optional(), tensorShape: ShapeSchema.optional() }).optional(),
});

const NodeSchema = z.object({
  name: z.string(),
  op: z.string(),
  input: z.array(z.string()).default([]),
  attr: z.record(z.string(), AttributeSchema).default({}),
});

/** The part of a TensorFlow.js graph model's `model.json` that shapes need. Names: TensorFlow's `graph.proto`. */
export const GraphModelSchema = z.object({ modelTopology: z.object({ node: z.array(NodeSchema) }) });

export type GraphNode = z.infer<typeof NodeSchema>;

export function dims(shape: z.infer<typeof ShapeSchema> | undefined): number[] | null {
  return shape === undefined ? null : shape.dim.map(({ size }) => size);
}
