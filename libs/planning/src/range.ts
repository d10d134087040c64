import { macs, outputPoints, type ConvSpec } from '@alphaflops/conv';

/** The range of work that a design covers by definition. Shapes outside it are drawn again and not counted. */
export interface Range {
  /** Below this number, the cost of a convolution is only its launch. */
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
