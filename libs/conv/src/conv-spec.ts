/** Element types a convolution can be measured in. */
export const DTYPES = ['f32', 'f16', 'bf16'] as const;
export type Dtype = (typeof DTYPES)[number];

/** `same`: output size ⌈input / stride⌉. `valid`: no padding. */
export const PADDINGS = ['same', 'valid'] as const;
export type Padding = (typeof PADDINGS)[number];

export const LAYOUTS = ['NCHW', 'NHWC'] as const;
export type Layout = (typeof LAYOUTS)[number];

/**
 * One 2-D convolution. Sizes are in elements; the names are those of the canonical CSV.
 * `groups` divides `cin` and `cout`; a depthwise convolution has `groups === cin`.
 */
export interface ConvSpec {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly cin: number;
  readonly cout: number;
  readonly kernel_h: number;
  readonly kernel_w: number;
  readonly stride: number;
  readonly groups: number;
  readonly dtype: Dtype;
  readonly padding: Padding;
  readonly layout: Layout;
}

/** What a column that is absent from a file or a request means. */
export const CONV_SPEC_DEFAULTS = {
  batch: 1,
  stride: 1,
  groups: 1,
  dtype: 'f32',
  padding: 'same',
  layout: 'NCHW',
} as const satisfies Partial<ConvSpec>;

/**
 * The one spelling of a ConvSpec as text: equal specs have equal keys. Used to group samples of one shape.
 * Example: `b1-h56-w56-i64-o128-k3x3-s1-g1-f32-same-NCHW`.
 */
export function specKey(spec: ConvSpec): string {
  return (
    `b${spec.batch}-h${spec.height}-w${spec.width}-i${spec.cin}-o${spec.cout}` +
    `-k${spec.kernel_h}x${spec.kernel_w}-s${spec.stride}-g${spec.groups}-${spec.dtype}-${spec.padding}-${spec.layout}`
  );
}
