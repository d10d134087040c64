import { ConvSpecSchema } from '@alphaflops/contracts';
import type { ConvSpec, Dtype, Layout, Pass } from '@alphaflops/conv';

/** Along height and width. */
export type Pair = readonly [number, number];

/** Zero padding of the input: a rule, or rows before, columns before, rows after, columns after. */
export type Pads = 'same' | 'valid' | readonly [number, number, number, number];

/** A convolution with all options that network formats can describe. */
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

/**
 * Returns the output size of a convolution or a pooling along one axis. `ceil` counts a last window that is only
 * partly filled.
 */
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

/**
 * Returns the output size of a transposed convolution. `extra` are the rows and columns of `output_padding` in ONNX.
 */
export function transposedOutput(geometry: ConvGeometry, extra: Pair = [0, 0]): Pair {
  const { input, kernel, strides, dilations, pads } = geometry;
  return each((axis) => {
    if (pads === 'same') return input[axis] * strides[axis];
    const size = (input[axis] - 1) * strides[axis] + dilations[axis] * (kernel[axis] - 1) + 1;
    return Math.max(0, size - zerosAlong(pads, axis) + extra[axis]);
  });
}

/** Returns the ConvSpec of a convolution. It describes all options. */
export function convolution(geometry: ConvGeometry): Costable {
  return checked(geometry, { size: geometry.input, pass: 'forward' }, null);
}

/**
 * Returns the ConvSpec of a transposed convolution. It is the backward pass of the convolution from its output to its
 * input, with the same multiply-adds over the same tensors. The ConvSpec has the sizes of that convolution.
 */
export function transposedConvolution(geometry: ConvGeometry, output: Pair): Costable {
  const { input, kernel, strides, dilations, pads, cin, cout } = geometry;
  const backward = { ...geometry, cin: cout, cout: cin, input: output };
  // Rows after the last window come from the output padding, or from the rule, whose padding restores the input size.
  const exact = each((axis): Pair => {
    const all = (input[axis] - 1) * strides[axis] + dilations[axis] * (kernel[axis] - 1) + 1 - output[axis];
    if (pads === 'same' || pads === 'valid')
      return [Math.floor(Math.max(all, 0) / 2), Math.ceil(Math.max(all, 0) / 2)];
    return [pads[axis], Math.max(0, all - pads[axis])];
  });
  const explicit: Pads = [exact[0][0], exact[1][0], exact[0][1], exact[1][1]];
  return checked({ ...backward, pads: explicit }, { size: output, pass: 'backward-data' }, TRANSPOSED);
}

const TRANSPOSED = 'transposed: costed as the backward pass of the reversed convolution';

/**
 * Converts a dense layer with N rows to a 1×1 convolution of one image with N positions, whose sides are as equal as
 * possible. It is the same matrix product, in the form that is most common in measured networks.
 */
export function dense(rows: number, cin: number, cout: number, dtype: Dtype, layout: Layout): Costable {
  const size = mostSquare(rows);
  const one = [1, 1] as const;
  const plain = { kernel: one, strides: one, dilations: one, groups: 1, pads: 'same' } as const;
  return checked(
    { ...plain, batch: 1, input: size, cin, cout, dtype, layout },
    { size, pass: 'forward' },
    rows === 1 ? null : `${rows} rows: costed as one image of ${size.join('×')} positions`,
  );
}

/** Returns two factors of a number, the larger one first. The factors are as close to each other as possible. */
function mostSquare(count: number): Pair {
  for (let side = Math.floor(Math.sqrt(count)); side > 1; side--) {
    if (count % side === 0) return [count / side, side];
  }
  return [count, 1];
}

/**
 * Returns the padding in the form of a ConvSpec. Zeros that equal the padding `same` become `same`, because most
 * measurements use `same`.
 */
function paddingOf(geometry: ConvGeometry): Pick<ConvSpec, 'padding'> & Partial<ConvSpec> {
  const { input, strides, pads } = geometry;
  if (pads === 'same') return { padding: 'same' };
  const output = outputPair(geometry);
  const isSame = each((axis) => output[axis] === Math.ceil(input[axis] / strides[axis])).every(Boolean);
  if (isSame) return { padding: 'same' };
  if (pads === 'valid') return { padding: 'valid' };
  const [pad_top, pad_left, pad_bottom, pad_right] = pads;
  return { padding: 'explicit', pad_top, pad_bottom, pad_left, pad_right };
}

function checked(
  geometry: ConvGeometry,
  { size, pass }: { size: Pair; pass: Pass },
  note: string | null,
): Costable {
  const { batch, cin, cout, kernel, groups, dtype, layout, strides, dilations } = geometry;
  const found = ConvSpecSchema.safeParse({
    ...{ batch, height: size[0], width: size[1], cin, cout, kernel_h: kernel[0], kernel_w: kernel[1] },
    ...{ stride: strides[0], stride_h: strides[0], stride_w: strides[1] },
    ...{ dilation_h: dilations[0], dilation_w: dilations[1], groups, dtype, layout, pass },
    ...paddingOf(geometry),
  });
  if (found.success) return { spec: found.data, note };
  const [issue] = found.error.issues;
  return { reason: `${issue?.path.join('.') ?? 'size'}: ${issue?.message ?? 'not measurable'}` };
}
