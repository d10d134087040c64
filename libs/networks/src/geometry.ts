import { ConvSpecSchema } from '@alphaflops/contracts';
import type { ConvSpec, Dtype, Layout } from '@alphaflops/conv';

/** Along height and width. */
export type Pair = readonly [number, number];

/** Zeros around the input: by rule, or rows before, columns before, rows after, columns after. */
export type Pads = 'same' | 'valid' | readonly [number, number, number, number];

/** A convolution as network formats describe it, with all they can say. */
export interface ConvGeometry {
  readonly batch: number;
  readonly input: Pair;
  readonly cin: number;
  readonly cout: number;
  readonly kernel: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly groups: number;
  readonly pads: Pads;
  readonly dtype: Dtype;
  readonly layout: Layout;
}

export type Costable = { spec: ConvSpec; note: string | null } | { reason: string };

type Axis = 0 | 1;

const each = <T>(of: (axis: Axis) => T): readonly [T, T] => [of(0), of(1)];

function zerosAlong(pads: Exclude<Pads, 'same'>, axis: Axis): number {
  if (pads === 'valid') return 0;
  return axis === 0 ? pads[0] + pads[2] : pads[1] + pads[3];
}

/** Output size of a convolution or a pooling along one axis. `ceil` counts a last window that is only partly filled. */
export function outputAlong(
  input: number,
  kernel: number,
  stride: number,
  dilation: number,
  pads: Pads,
  axis: Axis,
  ceil = false,
): number {
  if (pads === 'same') return Math.ceil(input / stride);
  const windows = (input + zerosAlong(pads, axis) - dilation * (kernel - 1) - 1) / stride;
  return Math.max(0, (ceil ? Math.ceil(windows) : Math.floor(windows)) + 1);
}

export function outputPair({ input, kernel, strides, dilations, pads }: ConvGeometry): Pair {
  return each((axis) => outputAlong(input[axis], kernel[axis], strides[axis], dilations[axis], pads, axis));
}

/** Output size of a transposed convolution; `extra` are the rows and columns of ONNX's `output_padding`. */
export function transposedOutput(geometry: ConvGeometry, extra: Pair = [0, 0]): Pair {
  const { input, kernel, strides, dilations, pads } = geometry;
  return each((axis) => {
    if (pads === 'same') return input[axis] * strides[axis];
    const size = (input[axis] - 1) * strides[axis] + dilations[axis] * (kernel[axis] - 1) + 1;
    return Math.max(0, size - zerosAlong(pads, axis) + extra[axis]);
  });
}

/**
 * The ConvSpec with the same multiply-adds and output points. A ConvSpec pads by rule and has no dilation: where the
 * layer's padding is no rule, its zeros become part of the input; a dilated kernel is costed without its gaps.
 */
export function convolution(geometry: ConvGeometry): Costable {
  const { input, kernel, strides, dilations, pads } = geometry;
  const output = outputPair(geometry);
  const stride = commonStride(strides, output);
  if (stride === null) return { reason: `strides ${strides.join('×')} differ` };
  const isSame = each((axis) => output[axis] === Math.ceil(input[axis] / stride)).every(Boolean);
  if (dilations.some((dilation) => dilation !== 1)) {
    const size = isSame ? input : each((axis) => output[axis] * stride);
    const note = `dilation ${dilations.join('×')}: costed as the same kernel without gaps`;
    return checked(geometry, { size, stride, padding: 'same' }, note);
  }
  if (isSame) return checked(geometry, { size: input, stride, padding: 'same' }, null);
  const isUnpadded = pads === 'valid' || (pads !== 'same' && pads.every((zeros) => zeros === 0));
  if (isUnpadded) return checked(geometry, { size: input, stride, padding: 'valid' }, null);
  const size = each((axis) => (output[axis] - 1) * stride + kernel[axis]);
  const note = `padding of its own: costed as a ${size.join('×')} input without padding`;
  return checked(geometry, { size, stride, padding: 'valid' }, note);
}

/** A transposed convolution costs what the convolution does that it reverses: as many multiply-adds over the same tensors. */
export function transposedConvolution(geometry: ConvGeometry, output: Pair): Costable {
  const { input, strides, cin, cout } = geometry;
  const stride = commonStride(strides, input);
  if (stride === null) return { reason: `strides ${strides.join('×')} differ` };
  const fits = each((axis) => Math.ceil(output[axis] / stride) === input[axis]).every(Boolean);
  const size = fits ? output : each((axis) => input[axis] * stride);
  const reversed = { ...geometry, cin: cout, cout: cin };
  return checked(
    reversed,
    { size, stride, padding: 'same' },
    'transposed: costed as the convolution that it reverses',
  );
}

/** A dense layer is a 1×1 convolution of a 1×1 input; `rows` are the vectors that it multiplies. */
export function dense(rows: number, cin: number, cout: number, dtype: Dtype, layout: Layout): Costable {
  const one = [1, 1] as const;
  return checked(
    { batch: rows, input: one, cin, cout, kernel: one, groups: 1, dtype, layout },
    { size: one, stride: 1, padding: 'same' },
    null,
  );
}

/** Along an axis with one output point the stride does not matter. */
function commonStride([rows, columns]: Pair, [height, width]: Pair): number | null {
  if (rows === columns || width === 1) return rows;
  return height === 1 ? columns : null;
}

function checked(
  geometry: Omit<ConvGeometry, 'strides' | 'dilations' | 'pads'>,
  { size, stride, padding }: { size: Pair; stride: number; padding: 'same' | 'valid' },
  note: string | null,
): Costable {
  const { batch, cin, cout, kernel, groups, dtype, layout } = geometry;
  const found = ConvSpecSchema.safeParse({
    ...{ batch, height: size[0], width: size[1], cin, cout, kernel_h: kernel[0], kernel_w: kernel[1] },
    ...{ stride, groups, dtype, padding, layout },
  });
  if (found.success) return { spec: found.data, note };
  const [issue] = found.error.issues;
  return { reason: `${issue?.path.join('.') ?? 'size'}: ${issue?.message ?? 'not measurable'}` };
}
