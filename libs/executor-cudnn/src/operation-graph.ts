import type { Dtype, Pass } from '@alphaflops/conv';
import type { Descriptor, DescriptorKind, Handle } from './backend.js';
import { type Descriptors, enumerated, float, int64s, references } from './descriptors.js';

/** A 4-dimensional tensor. Sizes and strides are in elements, in the order n, c, h, w. */
export interface TensorShape {
  readonly size: readonly [n: number, c: number, h: number, w: number];
  readonly stride: readonly [n: number, c: number, h: number, w: number];
}

/** A pair for the two spatial axes: height, then width. */
export type Spatial = readonly [h: number, w: number];

/** A convolution for cuDNN: `input` ⋆ `weights` = `output`. The pass computes one of the three. */
export interface ConvProblem {
  readonly pass: Pass;
  readonly dtype: Dtype;
  readonly input: TensorShape;
  /** Outputs, inputs of one group, kernel height, kernel width. */
  readonly weights: TensorShape;
  readonly output: TensorShape;
  readonly stride: Spatial;
  readonly dilation: Spatial;
  /** Zeros before the first row and column; negative: left-out rows and columns. */
  readonly paddingBefore: Spatial;
  /** Zeros after the last row and column. */
  readonly paddingAfter: Spatial;
}

/** Names of the tensors in a variant pack. */
export const TENSOR_IDS = { input: 1, weights: 2, output: 3 } as const;

/** cudnnDataType_t. */
const DATA_TYPES = { f32: 0, f16: 2, bf16: 9 } as const satisfies Record<Dtype, number>;
const CROSS_CORRELATION = 1;
/** cudaMalloc aligns to 256 bytes; cuDNN looks at no more than 32 of them. */
const ALIGNMENT_BYTES = 32;

/** cudnnBackendAttributeName_t of tensors, convolutions and graphs. */
const TENSOR = { alignment: 900, dataType: 901, dimensions: 902, strides: 903, id: 906 } as const;
const CONVOLUTION = {
  ...{ computeType: 100, mode: 101, dilations: 102, strides: 103 },
  ...{ paddingsAfter: 104, paddingsBefore: 105, spatialAxes: 106 },
} as const;
const GRAPH = { handle: 800, operations: 801 } as const;

interface OperationAttributes {
  readonly kind: DescriptorKind;
  readonly alpha: number;
  readonly beta: number;
  readonly convolution: number;
  readonly weights: number;
  readonly input: number;
  readonly output: number;
}

/** The operation that computes a pass, and its cudnnBackendAttributeName_t: consecutive numbers in this order. */
function operationOf(kind: DescriptorKind, first: number): OperationAttributes {
  const [alpha, beta, convolution, weights, input, output] = [0, 1, 2, 3, 4, 5].map((at) => first + at) as [
    ...[number, number, number, number, number, number],
  ];
  return { kind, alpha, beta, convolution, weights, input, output };
}
const OPERATIONS: Readonly<Record<Pass, OperationAttributes>> = {
  forward: operationOf('forward', 700),
  'backward-data': operationOf('backwardData', 706),
  'backward-weights': operationOf('backwardWeights', 712),
};

/**
 * The operation graph of one convolution, finalised. Products are summed in f32 for every dtype.
 *
 * @param handle of the device; null: for a device that is given by its properties (since cuDNN 9.8)
 * @throws GpuError
 */
export function convolutionGraph(
  descriptors: Descriptors,
  problem: ConvProblem,
  handle: Handle | null,
): Descriptor {
  const { dtype, pass } = problem;
  const tensor = (name: keyof typeof TENSOR_IDS): Descriptor =>
    descriptors.finalized('tensor', [
      enumerated(TENSOR.dataType, 'dataType', DATA_TYPES[dtype]),
      int64s(TENSOR.dimensions, ...problem[name].size),
      int64s(TENSOR.strides, ...problem[name].stride),
      int64s(TENSOR.id, TENSOR_IDS[name]),
      int64s(TENSOR.alignment, ALIGNMENT_BYTES),
    ]);
  const convolution = descriptors.finalized('convolution', [
    enumerated(CONVOLUTION.computeType, 'dataType', DATA_TYPES.f32),
    enumerated(CONVOLUTION.mode, 'convolutionMode', CROSS_CORRELATION),
    int64s(CONVOLUTION.spatialAxes, 2),
    int64s(CONVOLUTION.paddingsBefore, ...problem.paddingBefore),
    int64s(CONVOLUTION.paddingsAfter, ...problem.paddingAfter),
    int64s(CONVOLUTION.dilations, ...problem.dilation),
    int64s(CONVOLUTION.strides, ...problem.stride),
  ]);
  const names = OPERATIONS[pass];
  const operation = descriptors.finalized(names.kind, [
    references(names.input, 'descriptor', tensor('input')),
    references(names.weights, 'descriptor', tensor('weights')),
    references(names.output, 'descriptor', tensor('output')),
    references(names.convolution, 'descriptor', convolution),
    float(names.alpha, 1),
    float(names.beta, 0),
  ]);
  return descriptors.finalized('graph', [
    ...(handle === null ? [] : [references(GRAPH.handle, 'handle', handle)]),
    references(GRAPH.operations, 'descriptor', operation),
  ]);
}
