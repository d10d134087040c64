import { macs, outputPoints, type ConvSpec } from '@alphaflops/conv';

/** The range of work a design covers by definition; what lies outside is drawn again and not counted. */
export interface Range {
  /** Below this a convolution is all launch cost. */
  readonly minMacs: number;
  readonly maxMacs: number;
  /** Elements of input and output together. */
  readonly maxActivations: number;
}

export function isWithin({ minMacs, maxMacs, maxActivations }: Range, spec: ConvSpec): boolean {
  const work = macs(spec);
  const activations = spec.batch * spec.height * spec.width * spec.cin + outputPoints(spec) * spec.cout;
  return work >= minMacs && work <= maxMacs && activations <= maxActivations;
}
