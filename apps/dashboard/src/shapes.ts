import type { Layer } from './api.js';

/**
 * A shape in a few characters: batch (unless 1), input, channels, kernel, and all values that differ from the default.
 */
export function shapeText(spec: Layer): string {
  const { batch = 1, height, width, cin, cout, kernel_h, kernel_w, stride = 1, groups = 1 } = spec;
  const { dtype = 'f32', padding = 'same', stride_h = stride, stride_w = stride, pass = 'forward' } = spec;
  const { dilation_h = 1, dilation_w = 1, pad_top, pad_bottom, pad_left, pad_right } = spec;
  return [
    `${batch === 1 ? '' : `${batch} × `}${height}×${width}`,
    `${cin}→${cout}`,
    `k ${kernel_h}×${kernel_w}`,
    ...(stride_h === stride_w
      ? stride_h === 1
        ? []
        : [`stride ${stride_h}`]
      : [`strides ${stride_h}×${stride_w}`]),
    ...(dilation_h === 1 && dilation_w === 1 ? [] : [`dilations ${dilation_h}×${dilation_w}`]),
    ...(groups === 1 ? [] : [groups === cin ? 'depthwise' : `groups ${groups}`]),
    ...(dtype === 'f32' ? [] : [dtype]),
    ...(padding === 'explicit'
      ? [`pads ${[pad_top, pad_bottom, pad_left, pad_right].map((zeros) => zeros ?? 0).join(' ')}`]
      : []),
    ...(padding === 'valid' ? [padding] : []),
    ...(pass === 'forward' ? [] : [pass]),
  ].join(', ');
}

/** Explanation of this notation. */
export const SHAPES_READ =
  'Notation of shapes: images × height×width of the input, channels in→out, k for the kernel. One image, stride and dilation 1, one group, f32, padding “same” and the forward pass are left out. Pads are top, bottom, left, right.';
