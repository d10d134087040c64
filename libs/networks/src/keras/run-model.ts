import { z } from 'zod';
import type { NetworkBuilder } from '../network-builder.js';
import { NetworkError } from '../network.js';
import { inOrder } from '../order.js';
import { addUnsized } from '../products.js';
import type { Shape } from '../shapes.js';
import { kept, sized, UNKNOWN, type Tensor } from '../tensors/tensor.js';
import {
  applications,
  computeType,
  KerasObjectSchema,
  origins,
  type KerasObject,
  type Origin,
} from './config.js';
import type { LayerRule } from './layer.js';
import { DEEPEST, isModel, layersOf, nameOf, recordedShape } from './model.js';
import { mayMultiply, PRODUCT_LAYERS } from './product-layers.js';
import { APPLICATION_LAYERS, functionRule, SIZE_LAYERS } from './size-layers.js';
import { CONVOLUTION_LAYERS, WINDOW_LAYERS } from './window-layers.js';

const LAYERS: ReadonlyMap<string, LayerRule> = new Map([
  ...CONVOLUTION_LAYERS,
  ...WINDOW_LAYERS,
  ...PRODUCT_LAYERS,
  ...SIZE_LAYERS,
]);
const MULTIPLYING: ReadonlySet<string> = new Set(
  [...CONVOLUTION_LAYERS, ...PRODUCT_LAYERS].map(([name]) => name),
);

/** One application of a layer. */
interface Application {
  readonly layer: KerasObject;
  readonly name: string;
  readonly at: number;
  readonly inputs: readonly Origin[];
}

/** Applies the layers of a model to inputs with known sizes. */
export class ModelRun {
  constructor(
    private readonly builder: NetworkBuilder,
    /** The batch for sizes that the file leaves open. */
    private readonly batch: number,
    private readonly depth = 0,
  ) {}

  /** Returns the outputs of a model for these inputs. */
  model(model: KerasObject, inputs: readonly Tensor[]): Tensor[] {
    if (this.depth > DEEPEST) {
      throw new NetworkError(
        'malformed',
        `The model contains nested models with a depth of more than ${DEEPEST}.`,
      );
    }
    const inside = new ModelRun(this.builder, this.batch, this.depth + 1);
    const layers = layersOf(model);
    return model.class_name === 'Sequential'
      ? inside.sequential(layers, inputs)
      : inside.functional(model, layers, inputs);
  }

  private sequential(layers: readonly KerasObject[], inputs: readonly Tensor[]): Tensor[] {
    let values = [...inputs];
    for (const layer of layers) {
      const [first = UNKNOWN] = values;
      values = this.layer(layer, [this.orRecorded(first, recordedShape(layer.build_config?.input_shape))]);
    }
    return values;
  }

  private functional(
    model: KerasObject,
    layers: readonly KerasObject[],
    inputs: readonly Tensor[],
  ): Tensor[] {
    const outputs = new Map<string, readonly Tensor[]>();
    let inputsSeen = 0;
    for (const layer of layers) {
      if (layer.class_name !== 'InputLayer') continue;
      outputs.set(`${nameOf(layer)} 0`, [inputs[inputsSeen] ?? UNKNOWN]);
      inputsSeen += 1;
    }
    let last: Tensor[] = [];
    for (const { layer, name, at, inputs: from } of applicationsOf(layers)) {
      const recorded = from.length === 1 ? recordedShape(layer.build_config?.input_shape) : null;
      const values = from.map((origin) => {
        const value = outputs.get(`${origin.layer} ${origin.node}`)?.[origin.output] ?? UNKNOWN;
        return this.orRecorded(value, origin.recorded ?? (at === 0 ? recorded : null));
      });
      last = this.layer(layer, values);
      outputs.set(`${name} ${at}`, last);
    }
    const outputLayers = origins(model.config['output_layers'] ?? []);
    if (outputLayers.length === 0) return last;
    return outputLayers.map(
      ({ layer, node, output }) => outputs.get(`${layer} ${node}`)?.[output] ?? UNKNOWN,
    );
  }

  /** Returns the known size of an input. If it is unknown, returns the size that version 3 records with it. */
  private orRecorded(value: Tensor, recorded: readonly (number | null)[] | null): Tensor {
    if (value.shape !== null || recorded === null) return value;
    const shape = recorded.map((size, axis) => size ?? (axis === 0 ? this.batch : null));
    return shape.every((size) => size !== null) ? sized(shape, null) : value;
  }

  private layer(layer: KerasObject, inputs: readonly Tensor[]): Tensor[] {
    this.builder.visit();
    if (isModel(layer)) return this.model(layer, inputs);
    if (layer.class_name === 'TimeDistributed') return this.timeDistributed(layer, inputs);
    if (layer.class_name === 'Bidirectional') return this.bidirectional(layer, inputs);
    if (WRAPPERS.has(layer.class_name)) return this.layer(innerOf(layer), inputs);
    const cells = cellsOf(layer);
    if (cells.length > 0) return cells.reduce<Tensor[]>((x, cell) => this.layer(cell, x), [...inputs]);
    const { class_name: op, config } = layer;
    const name = nameOf(layer) === '' ? op : nameOf(layer);
    const shapes = inputs.map(({ shape }) => shape).filter((shape) => shape !== null);
    const rule = ruleOf(layer);
    const lostAt = inputs.find(({ shape }) => shape === null)?.lostAt ?? { name, op };
    const unknown = [{ ...UNKNOWN, lostAt }];
    if (rule === null) {
      if (isKnownOperation(layer)) this.builder.other(op);
      else this.builder.notKnown(op);
      return unknown;
    }
    const isSized = shapes.length === inputs.length && shapes.length > 0;
    if (MULTIPLYING.has(op)) {
      if (!isSized) return [addUnsized(this.builder, op, inputs)];
    } else if (op !== 'InputLayer') this.builder.other(op);
    if (!isSized) return unknown;
    const type = computeType(config['dtype']);
    return rule({ name, op, config, type, inputs: shapes, builder: this.builder }).map((shape) =>
      withLoss(kept(sized(shape, type)), { name, op }),
    );
  }

  /** Applies the inner layer to each step: all steps together are a larger batch. */
  private timeDistributed(layer: KerasObject, inputs: readonly Tensor[]): Tensor[] {
    const inner = innerOf(layer);
    const [x = UNKNOWN] = inputs;
    if (x.shape === null || x.shape.length < 2) return this.layer(inner, [UNKNOWN]);
    const [batch = 1, steps = 1, ...rest] = x.shape;
    return this.layer(inner, [{ ...x, shape: [batch * steps, ...rest] }]).map((value) => ({
      ...value,
      shape: value.shape === null ? null : [batch, steps, ...value.shape.slice(1)],
    }));
  }

  /** Applies the inner layer once in each direction. */
  private bidirectional(layer: KerasObject, inputs: readonly Tensor[]): Tensor[] {
    const forward = innerOf(layer);
    const backward = KerasObjectSchema.safeParse(layer.config['backward_layer']).data ?? forward;
    const [there = UNKNOWN] = this.layer(forward, inputs);
    const [back = UNKNOWN] = this.layer(backward, inputs);
    const mode = MERGE_MODE.parse(layer.config['merge_mode']);
    if (mode === null) return [there, back];
    if (mode !== 'concat' || there.shape === null || back.shape === null) return [there];
    const width: Shape = [...there.shape.slice(0, -1), (there.shape.at(-1) ?? 0) + (back.shape.at(-1) ?? 0)];
    return [sized(width, there.type)];
  }
}

/** Layers that change the weights of their inner layer. */
const WRAPPERS: ReadonlySet<string> = new Set(['SpectralNormalization', 'Wrapper']);

function innerOf({ config }: KerasObject): KerasObject {
  return KerasObjectSchema.parse(config['layer']);
}

const KNOWN_CELL = /^(LSTM|GRU|SimpleRNN)Cell$/;

/** Returns the equivalent layers of an RNN with known cells. All but the last return their whole sequence. */
function cellsOf({ class_name, config }: KerasObject): KerasObject[] {
  if (class_name !== 'RNN') return [];
  const cell = KerasObjectSchema.safeParse(config['cell']).data;
  const stacked = cell?.class_name === 'StackedRNNCells' ? cell.config['cells'] : [cell];
  const cells = z.array(KerasObjectSchema).safeParse(stacked).data ?? [];
  if (!cells.every((each) => KNOWN_CELL.test(each.class_name))) return [];
  return cells.map((each, at) => {
    const isLast = at === cells.length - 1;
    const sequences = isLast ? config['return_sequences'] : true;
    const class_name = each.class_name.replace(/Cell$/, '');
    return { ...each, class_name, config: { ...each.config, return_sequences: sequences } };
  });
}

/** Returns the applications of all layers. Each one comes after the applications that produce its inputs. */
function applicationsOf(layers: readonly KerasObject[]): Application[] {
  const known = ORDERED.get(layers);
  if (known !== undefined) return known;
  const all = layers
    .filter(({ class_name }) => class_name !== 'InputLayer')
    .flatMap((layer) =>
      applications(layer.inbound_nodes ?? []).map((inputs, at): Application => ({
        layer,
        name: nameOf(layer),
        at,
        inputs,
      })),
    );
  const ordered = inOrder(
    all,
    ({ name, at }) => [`${name} ${at}`],
    ({ inputs }) => inputs.map(({ layer, node }) => `${layer} ${node}`),
  );
  if (ordered === null) throw new NetworkError('malformed', 'The layers of this model form a cycle.');
  ORDERED.set(layers, ordered);
  return ordered;
}

/** A nested model may be applied many times. */
const ORDERED = new WeakMap<readonly KerasObject[], Application[]>();

function withLoss(value: Tensor, lostAt: Tensor['lostAt']): Tensor {
  return value.shape === null ? { ...value, lostAt } : value;
}

const FUNCTION = z.string().catch('');
const NODE = z.looseObject({ op: z.string() });
const MERGE_MODE = z.string().nullable().default('concat');

/** Version 2 represents a function as a layer, with the name of the function in its config. */
function functionOf({ class_name, config }: KerasObject): string | null {
  if (class_name.includes('OpLambda')) return FUNCTION.parse(config['function']);
  return class_name === 'TensorFlowOpLayer' ? (NODE.safeParse(config['node_def']).data?.op ?? '') : null;
}

function ruleOf(layer: KerasObject): LayerRule | null {
  const name = functionOf(layer);
  if (name !== null) return functionRule(name);
  // The functions of version 3 have different settings from the layers of the same name.
  if (isFunction(layer) && MULTIPLYING.has(layer.class_name)) return null;
  const isOfApplication = (layer.module ?? '').startsWith('keras.src.applications.');
  return (isOfApplication ? APPLICATION_LAYERS : LAYERS).get(layer.class_name) ?? null;
}

function isFunction({ module }: KerasObject): boolean {
  return (module ?? '').startsWith('keras.src.ops');
}

/** Whether this is an operation of Keras without a rule that does not multiply. */
function isKnownOperation(layer: KerasObject): boolean {
  const name = functionOf(layer);
  return (name !== null || isFunction(layer)) && !mayMultiply(name ?? layer.class_name);
}
