import { CONV_SPEC_DEFAULTS, type ConvSpec, kernelGroup, macs, specKey } from '@alphaflops/conv';
import type { Model, Prediction } from '../api.js';
import type { Point } from '../samples.js';
import { byDecade, byKernel, judged, samplesToJudge } from './errors.js';

const pointOf = (cin: number, kernel: number, timeMs: number): Point => {
  const size = { height: 8, width: 8, cin, cout: 8, kernel_h: kernel, kernel_w: kernel };
  const spec: ConvSpec = { ...CONV_SPEC_DEFAULTS, ...size };
  return { spec, timeMs, energyMillijoules: null, macs: macs(spec), group: kernelGroup(spec) };
};
const predicting = (predictedMs: number): Prediction =>
  ({ predictedMs, lowerMs: predictedMs / 1.5, upperMs: predictedMs * 1.5 }) as Prediction;

describe('errors of a model', () => {
  const points = [pointOf(1, 1, 0.05), pointOf(2, 3, 2), pointOf(3, 3, 4), pointOf(4, 3, 5)];
  const rows = judged(points, [0.05, 3, 4, 10].map(predicting), null);

  it('are medians by kernel, most samples first, with the share inside the interval', () => {
    expect(byKernel(rows)).toEqual([
      { name: '3×3', n: 3, medianApe: 0.5, coverage: 2 / 3 },
      { name: '1×1', n: 1, medianApe: 0, coverage: 1 },
    ]);
  });

  it('are medians by decade of the measured time, fastest first', () => {
    expect(byDecade(rows).map(({ name, n }) => [name, n])).toEqual([
      ['0.01–0.1', 1],
      ['1–10', 3],
    ]);
  });

  it('come from held-out predictions where the model keeps enough of them', () => {
    const many = Array.from({ length: 40 }, (_, at) => pointOf(at + 1, 3, 1));
    const shapes = many.map(({ spec }) => [specKey(spec), 2] as const);
    const model = { heldOut: { shapes } } as unknown as Model;
    const chosen = samplesToJudge(model, [...many, pointOf(99, 3, 1)]);
    expect(chosen.points).toHaveLength(40);
    const [row] = byKernel(
      judged(
        chosen.points,
        many.map(() => predicting(1)),
        chosen.heldOut,
      ),
    );
    expect(row).toMatchObject({ n: 40, medianApe: 1, coverage: 1 });
    const few = { heldOut: { shapes: shapes.slice(0, 5) } } as unknown as Model;
    expect(samplesToJudge(few, many).heldOut).toBeNull();
  });
});
