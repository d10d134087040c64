import type { PrepareOptions, PrepareResult } from '@alphaflops/executor';
import { F32_TOLERANCE } from '@alphaflops/measure';
import { chooseAlgorithm, type AlgorithmChoice } from './algorithm.js';
import type { ConvSetUp } from './cudnn-conv.js';
import { MATH_TYPES, type Descriptor } from './cudnn.js';
import type { Device } from './device.js';
import type { DeviceMemory } from './device-memory.js';
import { isPadded, type Geometry } from './geometry.js';
import type { SeededBuffers } from './seeded-buffers.js';

export interface MathOptions {
  /** Whether f32 may be computed in TF32. */
  readonly tf32: boolean;
  readonly choice: AlgorithmChoice;
}

/** Rounding of inputs, products and outputs to the precision, with a margin: a wrong sum is off by about 1. */
const TOLERANCES = { f32: F32_TOLERANCE, tf32: 1e-2, f16: 2e-2, bf16: 5e-2 } as const;

type SetUpResult = { readonly ok: true; readonly setUp: ConvSetUp } | Extract<PrepareResult, { ok: false }>;

/**
 * Allocates, fills, describes and runs one convolution once. Throws `GpuError`; whether it returns without a set-up or
 * throws, no descriptor is left behind.
 */
export function setUpConv(
  device: Device,
  memory: DeviceMemory,
  inputs: SeededBuffers,
  geometry: Geometry,
  { seed, mode }: PrepareOptions,
  { tf32, choice }: MathOptions,
): SetUpResult {
  const { cuda, cudnn, handle, stream } = device;
  const { spec, weightSize, outputSize, bytes } = geometry;
  const { dtype, layout } = spec;
  const made: (() => void)[] = [];
  const release = (): void => {
    for (const undo of made.splice(0)) undo();
  };
  const kept = (kind: 'Tensor' | 'Filter' | 'Convolution', descriptor: Descriptor): Descriptor => {
    made.push(() => {
      cudnn.destroyDescriptor(kind, descriptor);
    });
    return descriptor;
  };
  try {
    const padded = isPadded(geometry);
    const described = {
      input: kept('Tensor', cudnn.createTensor(padded ? geometry.paddedInput : geometry.input, layout)),
      weights: kept('Filter', cudnn.createFilter({ dtype, size: weightSize }, layout)),
      conv: kept(
        'Convolution',
        cudnn.createConvolution(geometry.padH, geometry.padW, spec.stride, spec.groups),
      ),
    };
    cudnn.setMathType(described.conv, mathTypeOf(dtype, tf32));
    assertSameSize(cudnn.outputSize(described), outputSize);
    const output = kept('Tensor', cudnn.createTensor({ dtype, size: outputSize }, layout));
    const descriptors = { ...described, output };

    const input = inputs.take('input', dtype, seed, product(geometry.input.size));
    const weights = inputs.take('weights', dtype, seed, product(weightSize));
    const outputPointer = memory.take('output', bytes.output).pointer;
    let padding: ConvSetUp['padding'] = null;
    let convInput = input;
    if (padded) {
      convInput = memory.take('padded', bytes.paddedInput).pointer;
      cuda.zero(convInput, bytes.paddedInput, stream);
      padding = {
        from: { descriptor: kept('Tensor', cudnn.createTensor(geometry.input, layout)), pointer: input },
        to: {
          descriptor: kept('Tensor', cudnn.createStridedTensor(geometry.inputInPadded)),
          pointer: convInput,
        },
      };
      cudnn.copyTensor(handle, padding.from, padding.to);
    }
    const flush =
      mode === 'cold'
        ? { pointer: memory.take('flush', device.l2Bytes).pointer, bytes: device.l2Bytes }
        : null;

    const tensors = { input: convInput, weights, output: outputPointer };
    const chosen = chooseAlgorithm(device, memory, descriptors, tensors, choice);
    if (!chosen.ok) {
      release();
      return chosen;
    }
    const tolerance = TOLERANCES[dtype === 'f32' && tf32 ? 'tf32' : dtype];
    const { algorithm, buffers } = chosen;
    return {
      ok: true,
      setUp: { geometry, descriptors, buffers, algorithm, padding, flush, tolerance, release },
    };
  } catch (error) {
    release();
    throw error;
  }
}

function mathTypeOf(dtype: Geometry['spec']['dtype'], tf32: boolean): number {
  if (dtype !== 'f32') return MATH_TYPES.tensorOp;
  return tf32 ? MATH_TYPES.default : MATH_TYPES.fma;
}

function assertSameSize(actual: readonly number[], expected: readonly number[]): void {
  if (expected.every((size, axis) => size === actual[axis])) return;
  throw new Error(`cuDNN would compute an output of ${actual.join('×')}, the spec has ${expected.join('×')}`);
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total * size, 1);
}
