import { DTYPES } from '@alphaflops/conv';
import { z } from 'zod';
import {
  convolution,
  dense,
  outputPair,
  transposedConvolution,
  transposedOutput,
  type ConvGeometry,
  type Costable,
} from './geometry.js';
import { NetworkBuilder } from './network-builder.js';
import { NetworkError, type Network, type ReadOptions } from './network.js';
import { product } from './shapes.js';

export const LAYER_LIST = 'alphaflops.layers/1';

const size = z.int().min(1);
const pair = z.tuple([size, size]);
const zeros = z.int().min(0);
const named = {
  name: z.string(),
  op: z.string(),
  dtype: z.string(),
  layout: z.enum(['NCHW', 'NHWC']).default('NCHW'),
};

const LayerSchema = z.discriminatedUnion('kind', [
  z.object({
    ...named,
    kind: z.literal('conv'),
    batch: size,
    input: pair.describe('height and width; 1 and the length of a sequence'),
    cin: size,
    cout: size,
    kernel: pair,
    strides: pair.default([1, 1]),
    dilations: pair.default([1, 1]),
    groups: size.default(1),
    pads: z.tuple([zeros, zeros, zeros, zeros]).default([0, 0, 0, 0]).describe('before rows, columns; after'),
    transposed: z.boolean().default(false),
    output_padding: z.tuple([zeros, zeros]).default([0, 0]),
  }),
  z.object({ ...named, kind: z.literal('dense'), rows: size, cin: size, cout: size }),
]);
type Layer = z.infer<typeof LayerSchema>;

const LayerListSchema = z.object({
  format: z.literal(LAYER_LIST),
  name: z.string().nullable().default(null),
  batch: size.default(1).describe('images at a time'),
  layers: z.array(LayerSchema),
  not_costed: z
    .array(
      z.object({
        op: z.string(),
        count: size,
        reason: z.string().nullable().default(null).describe('null for operators that do not multiply'),
        macs: z.number().min(0).nullable().default(null).describe('multiply-adds of all of them'),
      }),
    )
    .default([]),
});

/**
 * Reads a list of layers with known sizes. `tools/export_pytorch.py` writes such a list after a run of the model. The
 * layers are costed like the layers of any other file.
 *
 * @throws NetworkError `malformed`, `bad-option`
 */
export function readLayerList(json: unknown, { batch, inputShape, inputs = {} }: ReadOptions): Network {
  const list = LayerListSchema.safeParse(json);
  if (!list.success) {
    const [issue] = list.error.issues;
    const where = issue?.path.join('.') ?? '';
    throw new NetworkError('malformed', `This is not a list of layers: ${where}: ${issue?.message ?? ''}.`);
  }
  if (batch !== undefined || inputShape !== undefined || Object.keys(inputs).length > 0) {
    throw new NetworkError(
      'bad-option',
      'The sizes in a list of layers are fixed. Export the list again with the input size that you need.',
    );
  }
  const layers = new NetworkBuilder();
  layers.batch = list.data.batch;
  for (const layer of list.data.layers) layers.costed(layer.name, layer.op, costOf(layer), macsOf(layer));
  for (const { op, reason, macs, count } of list.data.not_costed) layers.listed(op, reason, macs, count);
  return layers.build('layer-list', list.data.name);
}

function costOf(layer: Layer): Costable {
  const dtype = DTYPES.find((name) => name === layer.dtype);
  if (dtype === undefined) return { reason: `type ${layer.dtype} is not measured` };
  if (layer.kind === 'dense') return dense(layer.rows, layer.cin, layer.cout, dtype, layer.layout);
  const geometry = geometryOf(layer);
  return layer.transposed
    ? transposedConvolution(geometry, transposedOutput(geometry, layer.output_padding))
    : convolution(geometry);
}

function macsOf(layer: Layer): number {
  if (layer.kind === 'dense') return layer.rows * layer.cin * layer.cout;
  const points = layer.transposed ? layer.input : outputPair(geometryOf(layer));
  const taps = (product(layer.kernel) * layer.cin * layer.cout) / layer.groups;
  return layer.batch * product(points) * taps;
}

function geometryOf(layer: Layer & { kind: 'conv' }): ConvGeometry {
  const dtype = DTYPES.find((name) => name === layer.dtype) ?? 'f32';
  return { ...layer, dtype, pads: layer.pads };
}
