import { z } from 'zod';
import { ConvSpecSchema, MAX_AXIS } from './conv-spec.js';

/** A network file without its weights is far smaller. The body of a request has another limit. */
export const MAX_NETWORK_FILE_BYTES = 16 * 2 ** 20;
const MAX_NETWORK_FILE_BASE64 = Math.ceil((4 * MAX_NETWORK_FILE_BYTES) / 3);

/** Weight files of one model. */
const MAX_WEIGHT_FILES = 100;

const InputShapeSchema = z.array(z.int().min(1).max(MAX_AXIS)).min(1).max(8);

export const NetworkFileSchema = z
  .object({
    file: z
      .base64()
      .max(MAX_NETWORK_FILE_BASE64)
      .describe(
        'ONNX, Keras JSON or .keras archive, a TensorFlow.js model.json, or a list of layers, in base64; weights are not needed',
      ),
    batch: z
      .int()
      .min(1)
      .max(MAX_AXIS)
      .optional()
      .describe('batch size, if the file does not set it; 1 by default'),
    inputShape: InputShapeSchema.optional().describe(
      'all sizes of the first input, if the file leaves more than the batch open',
    ),
    inputs: z
      .record(z.string().max(500), InputShapeSchema)
      .optional()
      .describe('all sizes of inputs, by their names'),
    weights: z
      .record(z.string().max(500), z.base64().max(MAX_NETWORK_FILE_BASE64))
      .refine((files) => Object.keys(files).length <= MAX_WEIGHT_FILES, {
        message: `at most ${MAX_WEIGHT_FILES} files`,
      })
      .optional()
      .describe(
        'the .bin files of a TensorFlow.js model by the names in its weightsManifest, in base64: sizes may depend on small constants in them',
      ),
  })
  .strict()
  .meta({ id: 'NetworkFile' });

const NotCostedSchema = z.object({
  op: z.string(),
  count: z.int(),
  reason: z.string(),
  macs: z.number().nullable().describe('multiply-adds of all of them; null if not known'),
});

/** How much of a network its total covers. The total has it if the request has a network file. */
export const CompletenessSchema = z.object({
  isComplete: z.boolean().describe('all layers that multiply are costed, and every operator is known'),
  layersFound: z.int().describe('layers that multiply'),
  layersCosted: z.int(),
  missing: z
    .array(NotCostedSchema)
    .describe('layers that multiply, or may multiply, and are not part of the total'),
  missingMacs: z.number().describe('their multiply-adds, as far as they are known'),
  missingShare: z
    .number()
    .nullable()
    .describe('at least this share of all multiply-adds is missing; null: unknown'),
  firstLoss: z
    .object({ name: z.string(), op: z.string() })
    .nullable()
    .describe('the first operator at which a size was lost that a missing layer needs'),
});

/** The contents of a network file. Predictions are in the order of `layers`. */
export const NetworkSchema = z
  .object({
    format: z.enum(['onnx', 'keras', 'tfjs-layers', 'tfjs-graph', 'layer-list']),
    name: z.string().nullable(),
    batch: z.int().min(1).describe('images at a time'),
    layers: z.array(
      z.object({
        name: z.string(),
        op: z.string(),
        spec: ConvSpecSchema,
        note: z.string().nullable().describe('how the spec differs from the layer'),
      }),
    ),
    notCosted: z.array(
      NotCostedSchema.extend({ reason: z.string().nullable().describe('null: does not multiply') }),
    ),
  })
  .meta({ id: 'Network' });
