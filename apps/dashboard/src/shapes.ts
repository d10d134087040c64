import type { Layer } from './api.js';

/** A shape in a few characters: batch (unless 1), input, channels, kernel, and whatever is not the default. */
export function shapeText(spec: Layer): string {
  const { batch = 1, height, width, cin, cout, kernel_h, kernel_w, stride = 1, groups = 1 } = spec;
  const { dtype = 'f32', padding = 'same' } = spec;
  return [
    `${batch === 1 ? '' : `${batch} × `}${height}×${width}`,
    `${cin}→${cout}`,
    `k ${kernel_h}×${kernel_w}`,
    ...(stride === 1 ? [] : [`stride ${stride}`]),
    ...(groups === 1 ? [] : [groups === cin ? 'depthwise' : `groups ${groups}`]),
    ...(dtype === 'f32' ? [] : [dtype]),
    ...(padding === 'same' ? [] : [padding]),
  ].join(', ');
}

/** How that is to be read. */
export const SHAPES_READ =
  'Shapes read: images × height×width of the input, channels in→out, k for the kernel. One image, stride 1, one group, f32 and padding “same” are not said.';
