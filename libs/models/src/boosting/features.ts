import { log } from '@alphaflops/elementary';
import type { Shape } from '../axes/shape.js';
import { tilesOf } from '../axes/tile-wave-parameters.js';

const { ceil, max, min } = Math;

const TILES = tilesOf(Infinity);

/**
 * The features for splits of trees. Models store them by name: the meaning of a name never changes, and new features get new
 * names. The last one is the log time of the analytic form that the trees correct.
 */
export const FEATURES: readonly string[] = [
  'log S',
  'log cin/g',
  'log cout/g',
  'K',
  'kh',
  'kw',
  'h',
  'w',
  'min(h,w)',
  'max(h,w)',
  'log h·w',
  'log cin/g·K',
  'log cout/g·K',
  'log cin/g·cout',
  'log macs',
  'log bytes',
  'log bytes in',
  'log bytes out',
  'log bytes w',
  'log macs/bytes',
  'max(h+kh,w+kw)',
  'wo mod 32',
  'log cin/cout',
  'log S/(cin/g·K)',
  '2^n|cin/g',
  '2^n|cout/g',
  '2^n|S',
  ...TILES.flatMap(([points, channels]) => [`log tiles ${points}x${channels}`, `fill ${points}x${channels}`]),
  'padding cout/g 64',
  'padding cout/g 128',
  'steps',
  'batch',
  'stride',
  'groups',
  'bytes/element',
  'depthwise',
  'log cin',
  'log cout',
  'log ho·wo',
  '4|ho·wo',
  '4|both',
  'log t analytic',
];
export const F = FEATURES.length;

/** Largest n ≤ 5 such that 2ⁿ divides a number. */
const twos = (value: number): number =>
  value % 32 === 0
    ? 5
    : value % 16 === 0
      ? 4
      : value % 8 === 0
        ? 3
        : value % 4 === 0
          ? 2
          : value % 2 === 0
            ? 1
            : 0;

/** Writes all features but the analytic time, in the order of {@link FEATURES}. */
export function fillFeatures(shape: Shape, processors: number, out: Float64Array, offset = 0): void {
  const { spec, points, kernel, groupCin, groupCout, inputMb, outputMb, weightsMb, macs } = shape;
  const { height: h, width: w, kernel_h: kh, kernel_w: kw } = spec;
  const outputs = shape.outputHeight * shape.outputWidth;
  const moved = inputMb + outputMb + weightsMb;
  let at = offset;
  const logPoints = log(points);
  const logDepth = log(groupCin * kernel);
  const logMacs = log(macs);
  const logMoved = log(moved);
  out[at++] = logPoints;
  out[at++] = log(groupCin);
  out[at++] = log(groupCout);
  out[at++] = kernel;
  out[at++] = kh;
  out[at++] = kw;
  out[at++] = h;
  out[at++] = w;
  out[at++] = min(h, w);
  out[at++] = max(h, w);
  out[at++] = log(h * w);
  out[at++] = logDepth;
  out[at++] = log(groupCout * kernel);
  out[at++] = log(groupCin * spec.cout);
  out[at++] = logMacs;
  out[at++] = logMoved;
  out[at++] = log(inputMb);
  out[at++] = log(outputMb);
  out[at++] = log(weightsMb);
  out[at++] = logMacs - logMoved;
  out[at++] = max(h + kh, w + kw);
  out[at++] = shape.outputWidth % 32;
  out[at++] = log(groupCin / groupCout);
  out[at++] = logPoints - logDepth;
  out[at++] = twos(groupCin);
  out[at++] = twos(groupCout);
  out[at++] = twos(points);
  for (const [tilePoints, tileChannels] of TILES) {
    const tiles = ceil(points / tilePoints) * ceil(groupCout / tileChannels) * spec.groups;
    const waves = tiles / processors;
    out[at++] = log(tiles);
    out[at++] = waves / ceil(waves);
  }
  out[at++] = (ceil(groupCout / 64) * 64) / groupCout;
  out[at++] = (ceil(groupCout / 128) * 128) / groupCout;
  out[at++] = ceil((groupCin * kernel) / 32);
  out[at++] = spec.batch;
  out[at++] = spec.stride;
  out[at++] = spec.groups;
  out[at++] = shape.elementBytes;
  out[at++] = groupCin === 1 ? 1 : 0;
  out[at++] = log(spec.cin);
  out[at++] = log(spec.cout);
  out[at++] = log(outputs);
  out[at++] = outputs % 4 === 0 ? 1 : 0;
  out[at] = groupCin % 4 === 0 && groupCout % 4 === 0 ? 1 : 0;
}
