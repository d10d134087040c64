import { CONV_SPEC_DEFAULTS, type ConvSpec } from '@alphaflops/conv';
import { convProblem } from './conv-problem.js';

const SPEC: ConvSpec = {
  ...CONV_SPEC_DEFAULTS,
  ...{ batch: 2, height: 9, width: 12, cin: 6, cout: 10, kernel_h: 3, kernel_w: 3 },
};

it.each<[Partial<ConvSpec>, [number, number], [number, number]]>([
  [{}, [1, 1], [1, 1]],
  [{ kernel_h: 2, kernel_w: 4 }, [0, 1], [1, 2]],
  [{ padding: 'valid', kernel_h: 2 }, [0, 0], [0, 0]],
  // (⌈12 / 2⌉ − 1) · 2 + 3 − 12 = 1 column, which comes last; ⌈9 / 2⌉ needs 2 rows.
  [{ stride: 2 }, [1, 0], [1, 1]],
  [{ kernel_h: 1, kernel_w: 1, stride: 3 }, [0, 0], [0, 0]],
])('pads %j with %j before and %j after', (changes, before, after) => {
  expect(convProblem({ ...SPEC, ...changes })).toMatchObject({ paddingBefore: before, paddingAfter: after });
});

it('strides packed tensors by layout', () => {
  expect(convProblem({ ...SPEC, groups: 2 })).toMatchObject({
    input: { size: [2, 6, 9, 12], stride: [648, 108, 12, 1] },
    weights: { size: [10, 3, 3, 3], stride: [27, 9, 3, 1] },
    output: { size: [2, 10, 9, 12], stride: [1080, 108, 12, 1] },
  });
  expect(convProblem({ ...SPEC, layout: 'NHWC' })).toMatchObject({
    input: { stride: [648, 1, 72, 6] },
    weights: { stride: [54, 1, 18, 6] },
  });
});
