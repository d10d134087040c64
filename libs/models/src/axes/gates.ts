import type { Shape } from './shape.js';

const { max, min } = Math;

/** A simple property of a shape. Its thresholds may separate regimes. */
export interface Gate {
  readonly name: string;
  readonly description: string;
  readonly value: (shape: Shape) => number;
}

const gate = (name: string, description: string, value: Gate['value']): Gate => ({
  name,
  description,
  value,
});
const yes = (condition: boolean): number => (condition ? 1 : 0);
const outputs = (shape: Shape): number => shape.outputHeight * shape.outputWidth;

/** Properties whose thresholds separate regimes. The names are stored in models: they are never renamed or removed. */
export const GATES: readonly Gate[] = [
  gate('S', 'output points', (x) => x.points),
  gate('min(h,w)', 'shorter side of the input', (x) => min(x.spec.height, x.spec.width)),
  gate('max(h,w)', 'longer side of the input', (x) => max(x.spec.height, x.spec.width)),
  gate('cin/g', 'input channels of a group', (x) => x.groupCin),
  gate('cout/g', 'output channels of a group', (x) => x.groupCout),
  gate('K', 'kernel points', (x) => x.kernel),
  gate('min(kh,kw)', 'shorter side of the kernel', (x) => min(x.spec.kernel_h, x.spec.kernel_w)),
  gate('max(kh,kw)', 'longer side of the kernel', (x) => max(x.spec.kernel_h, x.spec.kernel_w)),
  gate('cin/g·K', 'multiply-adds per output', (x) => x.groupCin * x.kernel),
  gate('cout/g·K', 'output channels times kernel points', (x) => x.groupCout * x.kernel),
  gate('cin/g·cout/g', 'channel pairs of a group', (x) => x.groupCin * x.groupCout),
  gate('macs', 'multiply-adds', (x) => x.macs),
  gate('max(h+kh,w+kw)', 'longer side of the padded input', ({ spec }) =>
    max(spec.height + spec.kernel_h, spec.width + spec.kernel_w),
  ),
  gate('4|cin/g', 'input channels divide by 4', (x) => yes(x.groupCin % 4 === 0)),
  gate('4|cout/g', 'output channels divide by 4', (x) => yes(x.groupCout % 4 === 0)),
  gate('4|both', 'input and output channels divide by 4', (x) =>
    yes(x.groupCin % 4 === 0 && x.groupCout % 4 === 0),
  ),
  gate('4|ho·wo', 'points of an output image divide by 4', (x) => yes(outputs(x) % 4 === 0)),
  gate('4|wo', 'output width divides by 4', (x) => yes(x.outputWidth % 4 === 0)),
  gate('batch', 'images', (x) => x.spec.batch),
  gate('stride', 'stride', (x) => x.spec.stride),
  gate('bytes', 'bytes of an element', (x) => x.elementBytes),
  gate('groups', 'groups', (x) => x.spec.groups),
  gate('cin', 'input channels', (x) => x.spec.cin),
  gate('cout', 'output channels', (x) => x.spec.cout),
  gate('ho·wo', 'points of an output image', outputs),
];

/** Round values that are tried as thresholds, in addition to the quantiles of the data. */
const ROUND = [1, 2, 4, 8, 16, 32, 64, 128];
const QUANTILES = 9;

/** Thresholds to try for the values of one gate, in ascending order. Values ≤ the threshold belong to the lower side. */
export function thresholdsOf(sorted: Float64Array): number[] {
  const n = sorted.length;
  const [first, last] = [sorted[0] ?? 0, sorted[n - 1] ?? 0];
  const quantiles = Array.from(
    { length: QUANTILES },
    (_, q) => sorted[Math.floor(((q + 1) / (QUANTILES + 1)) * (n - 1))] ?? 0,
  );
  const tried = [...quantiles, ...ROUND].filter((value) => value >= first && value < last);
  return [...new Set(tried)].sort((a, b) => a - b);
}
