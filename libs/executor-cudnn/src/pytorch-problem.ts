import { outputSize, type ConvSpec } from '@alphaflops/conv';
import { convProblem, shapeOf } from './conv-problem.js';
import type { ConvProblem, Spatial } from './operation-graph.js';

/**
 * The convolution that PyTorch gives to cuDNN for a ConvSpec with `same` padding. Without strides, PyTorch first makes a padded
 * input for the uneven part (torch/nn/functional, conv2d with padding='same'). PyTorch has no `same` padding with strides;
 * networks then use half the kernel on both sides.
 */
export function pytorchProblem(spec: ConvSpec): ConvProblem {
  const problem = convProblem(spec);
  const { paddingBefore, paddingAfter } = problem;
  const more: Spatial = [paddingAfter[0] - paddingBefore[0], paddingAfter[1] - paddingBefore[1]];
  if (spec.padding !== 'same' || (more[0] === 0 && more[1] === 0)) return problem;
  const [images, channels, height, width] = problem.input.size;
  if (problem.stride[0] === 1 && problem.stride[1] === 1) {
    const size = [images, channels, height + more[0], width + more[1]] as const;
    return { ...problem, input: shapeOf(spec.layout, size), paddingAfter: paddingBefore };
  }
  const half = [Math.floor(spec.kernel_h / 2), Math.floor(spec.kernel_w / 2)] as const;
  const padded: ConvSpec = {
    ...spec,
    padding: 'explicit',
    ...{ pad_top: half[0], pad_bottom: half[0], pad_left: half[1], pad_right: half[1] },
  };
  const output = outputSize(padded);
  const size = [images, spec.cout, output.height, output.width] as const;
  return { ...problem, output: shapeOf(spec.layout, size), paddingBefore: half, paddingAfter: half };
}
