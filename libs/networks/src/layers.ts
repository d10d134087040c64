import { DTYPES, type Dtype, type Layout } from '@alphaflops/conv';
import { convolution, dense, transposedConvolution, type ConvGeometry, type Costable } from './geometry.js';
import type { NetworkBuilder } from './network-builder.js';
import { product } from './shapes.js';
import type { ElementType } from './tensors/tensor.js';
import { asPair, imagePads, windowOutput, type Windows } from './tensors/windows.js';

/** A convolution of a sequence, an image or a volume, as all formats describe it. */
export interface ConvolutionLayer {
  readonly name: string;
  readonly op: string;
  readonly batch: number;
  readonly cin: number;
  readonly cout: number;
  readonly groups: number;
  /** Sizes of the input along one, two or three axes. */
  readonly spatial: readonly number[];
  readonly windows: Windows;
  /** The output sizes of a transposed convolution; null for other convolutions. */
  readonly transposedTo: readonly number[] | null;
  readonly type: ElementType | null;
  readonly layout: Layout;
}

/**
 * Adds a convolution with its spec, or with its multiply-adds and the reason why it is not costed.
 *
 * @returns the sizes of its output along its spatial axes
 */
export function addConvolution(builder: NetworkBuilder, layer: ConvolutionLayer): readonly number[] {
  const { name, op, batch, cin, cout, groups, spatial, windows, transposedTo } = layer;
  const output = transposedTo ?? windowOutput(spatial, windows);
  const taps = (product(windows.kernel) * cin * cout) / groups;
  const macs = batch * product(transposedTo === null ? output : spatial) * taps;
  builder.costed(name, op, costOf(layer), Number.isSafeInteger(macs) ? macs : null);
  return output;
}

function costOf(layer: ConvolutionLayer): Costable {
  const { batch, cin, cout, groups, spatial, windows, transposedTo, type, layout } = layer;
  if (spatial.length > 2) return { reason: `${spatial.length}-dimensional` };
  const dtype = measuredType(type);
  if (dtype === null)
    return { reason: type === null ? 'its type is unknown' : `type ${type} is not measured` };
  const geometry: ConvGeometry = {
    ...{ batch, cin, cout, groups, dtype, layout },
    input: asPair(spatial, 1),
    kernel: asPair(windows.kernel, 1),
    strides: asPair(windows.strides, 1),
    dilations: asPair(windows.dilations, 1),
    pads: imagePads(windows.pads, spatial.length),
  };
  return transposedTo === null
    ? convolution(geometry)
    : transposedConvolution(geometry, asPair(transposedTo, 1));
}

/** The product of `rows` vectors of `depth` elements with a matrix of weights of `depth` × `columns`. */
export interface DenseLayer {
  readonly name: string;
  readonly op: string;
  readonly rows: number;
  readonly depth: number;
  readonly columns: number;
  readonly type: ElementType | null;
  readonly layout: Layout;
}

/** Adds a dense layer with its spec, or with its multiply-adds and the reason why it is not costed. */
export function addDense(builder: NetworkBuilder, layer: DenseLayer): void {
  const { name, op, rows, depth, columns, type, layout } = layer;
  const dtype = measuredType(type);
  const cost: Costable =
    dtype === null
      ? { reason: type === null ? 'its type is unknown' : `type ${type} is not measured` }
      : dense(rows, depth, columns, dtype, layout);
  builder.costed(name, op, cost, rows * depth * columns);
}

/** Returns the type in the form of a ConvSpec; null for a type in which no convolution is measured. */
export function measuredType(type: ElementType | null): Dtype | null {
  return DTYPES.find((dtype) => dtype === type) ?? null;
}

/** Longer recurrences are counted but not costed, because each step would be a separate layer. */
const MAX_STEPS = 4096;

/** A recurrent layer in one direction. */
export interface RecurrentLayer {
  readonly name: string;
  readonly op: string;
  readonly steps: number;
  readonly batch: number;
  readonly inputSize: number;
  readonly hiddenSize: number;
  /**
   * Number of weight matrices for the input, and for the state: 4 for an LSTM, 3 for a GRU, 1 for a simple recurrent
   * layer.
   */
  readonly gates: number;
  readonly type: ElementType | null;
  readonly layout: Layout;
}

/**
 * Adds the products of a recurrent layer: one product with the weights of the input over all steps, and one product
 * with the weights of the state for each step, because each step waits for the previous one.
 */
export function addRecurrence(builder: NetworkBuilder, layer: RecurrentLayer): void {
  const { name, op, steps, batch, inputSize, hiddenSize, gates, type, layout } = layer;
  const columns = gates * hiddenSize;
  const rest = { op, columns, type, layout };
  addDense(builder, { ...rest, name: `${name} (input)`, rows: steps * batch, depth: inputSize });
  if (steps > MAX_STEPS) {
    builder.missing(op, `more than ${MAX_STEPS} steps`, steps * batch * hiddenSize * columns);
    return;
  }
  for (let step = 1; step <= steps; step++) {
    addDense(builder, { ...rest, name: `${name} (step ${step})`, rows: batch, depth: hiddenSize });
  }
}
