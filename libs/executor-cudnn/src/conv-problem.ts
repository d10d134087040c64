import {
  dilationH,
  dilationW,
  outputSize,
  paddingSizes,
  passOf,
  strideH,
  strideW,
  type ConvSpec,
} from '@alphaflops/conv';
import type { ConvProblem, TensorShape } from './operation-graph.js';

/** The tensor with the result of the convolution, by pass. */
export const RESULTS = {
  forward: 'output',
  'backward-data': 'input',
  'backward-weights': 'weights',
} as const satisfies Record<ConvProblem['pass'], 'input' | 'weights' | 'output'>;

/**
 * A ConvSpec as a problem for cuDNN. Uneven `same` padding has its larger half last, as in TensorFlow. cuDNN has a padding for
 * each side.
 */
export function convProblem(spec: ConvSpec): ConvProblem {
  const { batch, height, width, cin, cout, kernel_h, kernel_w, groups, dtype, layout } = spec;
  const output = outputSize(spec);
  const { top, bottom, left, right } = paddingSizes(spec);
  return {
    pass: passOf(spec),
    dtype,
    input: shapeOf(layout, [batch, cin, height, width]),
    weights: shapeOf(layout, [cout, cin / groups, kernel_h, kernel_w]),
    output: shapeOf(layout, [batch, cout, output.height, output.width]),
    stride: [strideH(spec), strideW(spec)],
    dilation: [dilationH(spec), dilationW(spec)],
    paddingBefore: [top, left],
    paddingAfter: [bottom, right],
  };
}

/** A packed tensor in the order of the layout. */
export function shapeOf(layout: ConvSpec['layout'], size: TensorShape['size']): TensorShape {
  const [, c, h, w] = size;
  return { size, stride: layout === 'NCHW' ? [c * h * w, h * w, w, 1] : [h * w * c, 1, w * c, c] };
}
