import { percent } from '@alphaflops/contracts/text';
import type { NoiseFloor } from '@alphaflops/contracts';

/** For example `1.2 % (90th percentile 3.4 %) between two visits of 12 shapes`. */
export function noiseFloorText({ shapes, medianLogRatio, p90LogRatio }: NoiseFloor): string {
  const [median = '', p90 = ''] = [medianLogRatio, p90LogRatio].map((ratio) => percent(Math.expm1(ratio)));
  return `${median} (90th percentile ${p90}) between two visits of ${shapes} shapes`;
}
