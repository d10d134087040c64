/** Element types in which a convolution can be measured. */
export const DTYPES = ['f32', 'f16', 'bf16'] as const;
export type Dtype = (typeof DTYPES)[number];

/**
 * `same`: output size ⌈input / stride⌉. `valid`: no padding. `explicit`: `pad_top`, `pad_bottom`, `pad_left` and
 * `pad_right` are the numbers of zero rows and columns.
 */
export const PADDINGS = ['same', 'valid', 'explicit'] as const;
export type Padding = (typeof PADDINGS)[number];

export const LAYOUTS = ['NCHW', 'NHWC'] as const;
export type Layout = (typeof LAYOUTS)[number];

/**
 * The computed part of a convolution y = x ∗ w. `forward`: y. `backward-data`: the gradient of x, from w and the
 * gradient of y; a transposed convolution is this pass. `backward-weights`: the gradient of w, from x and the
 * gradient of y.
 */
export const PASSES = ['forward', 'backward-data', 'backward-weights'] as const;
export type Pass = (typeof PASSES)[number];

/**
 * One 2-D convolution. Sizes are in elements; the names are those of the canonical CSV. `groups` divides `cin` and
 * `cout`; a depthwise convolution has `groups === cin`.
 *
 * All sizes are those of the forward pass, for every value of `pass`: `height`, `width` and `cin` are of x, `cout` is
 * of y.
 *
 * An optional field that is absent has its default. `canonicalSpec` gives the one form in which equal convolutions
 * are equal objects; read the optional fields through `strideH`, `dilationH`, `passOf` and `paddingSizes`.
 */
export interface ConvSpec {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly cin: number;
  readonly cout: number;
  readonly kernel_h: number;
  readonly kernel_w: number;
  /** The stride along both axes, unless `stride_h` or `stride_w` overrides it for one axis. */
  readonly stride: number;
  readonly groups: number;
  readonly dtype: Dtype;
  readonly padding: Padding;
  readonly layout: Layout;
  /** Default: `stride`. */
  readonly stride_h?: number | undefined;
  readonly stride_w?: number | undefined;
  /** Distance of neighbouring kernel points in the input. Default: 1. */
  readonly dilation_h?: number | undefined;
  readonly dilation_w?: number | undefined;
  /** Zero rows and columns of `explicit` padding. Default: 0. */
  readonly pad_top?: number | undefined;
  readonly pad_bottom?: number | undefined;
  readonly pad_left?: number | undefined;
  readonly pad_right?: number | undefined;
  /** Default: `forward`. */
  readonly pass?: Pass | undefined;
}

/** The values of columns that are missing in a file or a request. */
export const CONV_SPEC_DEFAULTS = {
  batch: 1,
  stride: 1,
  groups: 1,
  dtype: 'f32',
  padding: 'same',
  layout: 'NCHW',
} as const satisfies Partial<ConvSpec>;

export const STRIDE_FIELDS = ['stride_h', 'stride_w'] as const;
export const DILATION_FIELDS = ['dilation_h', 'dilation_w'] as const;
export const PAD_FIELDS = ['pad_top', 'pad_bottom', 'pad_left', 'pad_right'] as const;

/** The fields that most convolutions do not have, in the order of columns. */
export const OPTIONAL_FIELDS = [...STRIDE_FIELDS, ...DILATION_FIELDS, ...PAD_FIELDS, 'pass'] as const;
export type OptionalField = (typeof OPTIONAL_FIELDS)[number];

export const strideH = (spec: ConvSpec): number => spec.stride_h ?? spec.stride;
export const strideW = (spec: ConvSpec): number => spec.stride_w ?? spec.stride;
export const dilationH = (spec: ConvSpec): number => spec.dilation_h ?? 1;
export const dilationW = (spec: ConvSpec): number => spec.dilation_w ?? 1;
export const passOf = (spec: ConvSpec): Pass => spec.pass ?? 'forward';

/** Whether a spec has any of the optional fields, in its canonical form or another form. */
export function hasOptionalFields(spec: ConvSpec): boolean {
  return (
    spec.padding === 'explicit' ||
    spec.pass !== undefined ||
    spec.stride_h !== undefined ||
    spec.stride_w !== undefined ||
    spec.dilation_h !== undefined ||
    spec.dilation_w !== undefined ||
    spec.pad_top !== undefined ||
    spec.pad_bottom !== undefined ||
    spec.pad_left !== undefined ||
    spec.pad_right !== undefined
  );
}
