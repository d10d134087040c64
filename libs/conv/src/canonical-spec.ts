import {
  dilationH,
  dilationW,
  hasOptionalFields,
  passOf,
  strideH,
  strideW,
  type ConvSpec,
} from './conv-spec.js';
import { paddingSizes, type PaddingSizes } from './work.js';

/**
 * Returns the same convolution in its canonical form, in which it is stored. Optional fields with their default values
 * are omitted, so that a spec without optional fields has the same form as before these fields existed.
 *
 * - Equal strides are written only as `stride`. If they differ, `stride` is the stride of the height, and both `stride_h`
 *   and `stride_w` are present.
 * - The dilation of an axis is omitted if the kernel has one point on this axis.
 * - A pad that is not 0 makes the padding `explicit`. Pads that equal those of `same` or `valid` become that word; `same`
 *   has priority.
 *
 * @param spec a convolution in any form; it is not changed
 * @returns `spec` itself if it has no optional field
 */
export function canonicalSpec(spec: ConvSpec): ConvSpec {
  if (!hasOptionalFields(spec)) return spec;
  const { batch, height, width, cin, cout, kernel_h, kernel_w, groups, dtype, layout } = spec;
  const [rows, columns] = [strideH(spec), strideW(spec)];
  const unpadded: ConvSpec = {
    ...{ batch, height, width, cin, cout, kernel_h, kernel_w, stride: rows, groups, dtype },
    ...{ padding: spec.padding, layout },
    ...(rows !== columns && { stride_h: rows, stride_w: columns }),
    ...(dilationH(spec) !== 1 && kernel_h > 1 && { dilation_h: dilationH(spec) }),
    ...(dilationW(spec) !== 1 && kernel_w > 1 && { dilation_w: dilationW(spec) }),
  };
  const pass = passOf(spec);
  return { ...padded(unpadded, spec), ...(pass !== 'forward' && { pass }) };
}

function padded(unpadded: ConvSpec, spec: ConvSpec): ConvSpec {
  const { pad_top, pad_bottom, pad_left, pad_right } = spec;
  const isExplicit =
    spec.padding === 'explicit' ||
    [pad_top, pad_bottom, pad_left, pad_right].some((zeros) => zeros !== undefined && zeros !== 0);
  if (!isExplicit) return unpadded;
  const pads = { top: pad_top ?? 0, bottom: pad_bottom ?? 0, left: pad_left ?? 0, right: pad_right ?? 0 };
  const rule = (['same', 'valid'] as const).find((padding) =>
    isSamePadding(paddingSizes({ ...unpadded, padding }), pads),
  );
  if (rule !== undefined) return { ...unpadded, padding: rule };
  return {
    ...unpadded,
    padding: 'explicit',
    ...{ pad_top: pads.top, pad_bottom: pads.bottom, pad_left: pads.left, pad_right: pads.right },
  };
}

function isSamePadding(a: PaddingSizes, b: PaddingSizes): boolean {
  return a.top === b.top && a.bottom === b.bottom && a.left === b.left && a.right === b.right;
}

/**
 * Returns the key of a ConvSpec: equal convolutions have equal keys. Keys group the samples of one shape.
 * Example: `b1-h56-w56-i64-o128-k3x3-s1-g1-f32-same-NCHW`.
 *
 * Optional fields with their default values are omitted. Example with all optional fields:
 * `b1-h56-w56-i64-o128-k3x3-s2x1-d2x2-g1-f32-p1x1x2x2-NCHW-backward-data`; the numbers after `p` are top,
 * bottom, left and right.
 *
 * @returns ASCII text without spaces, equal for specs with equal `canonicalSpec`
 */
export function specKey(spec: ConvSpec): string {
  const { batch, height, width, cin, cout, kernel_h, kernel_w, groups, dtype, layout } = spec;
  const shape = `b${batch}-h${height}-w${width}-i${cin}-o${cout}-k${kernel_h}x${kernel_w}`;
  if (!hasOptionalFields(spec)) {
    return `${shape}-s${spec.stride}-g${groups}-${dtype}-${spec.padding}-${layout}`;
  }
  const canonical = canonicalSpec(spec);
  const { stride, stride_w, pad_top, pad_bottom, pad_left, pad_right, pass } = canonical;
  const strides = stride_w === undefined ? `s${stride}` : `s${stride}x${stride_w}`;
  const dilations = [dilationH(canonical), dilationW(canonical)];
  const padding =
    canonical.padding === 'explicit'
      ? `p${[pad_top, pad_bottom, pad_left, pad_right].join('x')}`
      : canonical.padding;
  return (
    `${shape}-${strides}${dilations.some((dilation) => dilation !== 1) ? `-d${dilations.join('x')}` : ''}` +
    `-g${groups}-${dtype}-${padding}-${layout}${pass === undefined ? '' : `-${pass}`}`
  );
}

/** Describes the options of a spec that a basic convolution does not have. Empty for a basic convolution. */
export function extensionsOf(spec: ConvSpec): string[] {
  if (!hasOptionalFields(spec)) return [];
  const canonical = canonicalSpec(spec);
  const dilations = [dilationH(canonical), dilationW(canonical)];
  return [
    ...(canonical.stride_w === undefined ? [] : [`strides ${canonical.stride}×${canonical.stride_w}`]),
    ...(dilations.some((dilation) => dilation !== 1) ? [`dilations ${dilations.join('×')}`] : []),
    ...(canonical.padding === 'explicit' ? ['explicit padding'] : []),
    ...(canonical.pass === undefined ? [] : [`the pass ${canonical.pass}`]),
  ];
}
