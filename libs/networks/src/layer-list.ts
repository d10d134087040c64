import { DTYPES } from '@alphaflops/conv';
import { z } from 'zod';
import {
  convolution,
  dense,
  transposedConvolution,
  transposedOutput,
  type Costable,
  type Pads,
} from './geometry.js';
import { NetworkBuilder } from './network-builder.js';
import { NetworkError, type Network, type ReadOptions } from './network.js';

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
    .array(z.object({ op: z.string(), count: size, reason: z.string().nullable().default(null) }))
    .default([]),
});

/**
 * Layers with all sizes known, as `tools/export_pytorch.py` writes them after a run of the model. What a ConvSpec cannot say is
 * told here, so that it is costed like that of any other file.
 *
 * @throws NetworkError `malformed`, `bad-option`
 */
export function readLayerList(json: unknown, { batch, inputShape }: ReadOptions): Network {
  const list = LayerListSchema.safeParse(json);
  if (!list.success) {
    const [issue] = list.error.issues;
    const where = issue?.path.join('.') ?? '';
    throw new NetworkError('malformed', `This is no list of layers: ${where}: ${issue?.message ?? ''}.`);
  }
  if (batch !== undefined || inputShape !== undefined) {
    throw new NetworkError(
      'bad-option',
      'A list of layers has its sizes: export it with the input that you want.',
    );
  }
  const layers = new NetworkBuilder();
  layers.batch = list.data.batch;
  for (const layer of list.data.layers) layers.costed(layer.name, layer.op, costOf(layer));
  for (const { op, count, reason } of list.data.not_costed) layers.notCosted(op, reason, count);
  return layers.build('layer-list', list.data.name);
}

function costOf(layer: Layer): Costable {
  const dtype = DTYPES.find((name) => name === layer.dtype);
  if (dtype === undefined) return { reason: `of ${layer.dtype}` };
  if (layer.kind === 'dense') return dense(layer.rows, layer.cin, layer.cout, dtype, layer.layout);
  const geometry = { ...layer, dtype, pads: layer.pads as Pads };
  return layer.transposed
    ? transposedConvolution(geometry, transposedOutput(geometry, layer.output_padding))
    : convolution(geometry);
}
