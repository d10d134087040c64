import { log } from '@alphaflops/elementary';
import { ridgeLeastSquares, softL1, type RidgeResult, type RowResiduals } from '@alphaflops/least-squares';
import { ROBUST_RELATIVE_ERROR } from '../form.js';
import { boundsAround, valuesOf } from './tile-wave-parameters.js';
import { tileWaveGradient, tileWaveMs, type TileWaveData } from './tile-wave.js';

/** Relative decrease of the cost below which a search ends. */
const TOLERANCE = 1e-4;

export interface TileWaveFit {
  /** Indices of the rows that are fitted. */
  readonly members: Int32Array;
  /** Parameter vector at which the search starts and towards which the ridge pulls. */
  readonly centre: Float64Array;
  readonly ridge: number;
  /** Largest distance of a logarithm from the centre. */
  readonly reach?: number;
  readonly maxIterations: number;
}

/** Robust fit of the formula to log time, with a ridge towards `centre`. */
export function fitTileWave(
  data: TileWaveData,
  { members, centre, ridge, reach, maxIterations }: TileWaveFit,
): RidgeResult {
  const problem = {
    ...{ rows: members, centre, ridge, lossScale: ROBUST_RELATIVE_ERROR },
    ...boundsAround(centre, reach),
    residualsAt: (vector: Float64Array) => residualsAt(data, vector),
  };
  return ridgeLeastSquares(problem, { maxIterations, tolerance: TOLERANCE });
}

/** Sum of the losses of a parameter vector, without a ridge. */
export function tileWaveCost(data: TileWaveData, members: Int32Array, vector: Float64Array): number {
  const at = residualsAt(data, vector);
  let cost = 0;
  for (const i of members) cost += softL1(at.residual(i), ROBUST_RELATIVE_ERROR);
  return cost;
}

function residualsAt({ rows, stride, logCost }: TileWaveData, vector: Float64Array): RowResiduals {
  const p = valuesOf(vector);
  return {
    residual: (i) => log(tileWaveMs(p, rows, i * stride)) - (logCost[i] ?? 0),
    linearized: (i, gradient) => log(tileWaveGradient(p, rows, i * stride, gradient)) - (logCost[i] ?? 0),
  };
}
