import type { ConvSpec, Dtype } from '@alphaflops/conv';

/** The input of a design. */
export interface DesignRequest {
  readonly seed: number;
  /** Element types to plan; each candidate has one of them. */
  readonly dtypes: readonly [Dtype, ...Dtype[]];
  /** Also plan dilated kernels, strides by axis and explicit padding, if the design can draw them. */
  readonly allGeometries?: boolean;
}

/**
 * A sampling plan: a stream of candidate ConvSpecs that depends only on the request. Candidates may repeat. The planner drops
 * repeated candidates and those outside the limits.
 */
export interface Design {
  readonly name: string;
  readonly description: string;
  /** The stream never ends: the planner decides when to give up. */
  readonly endless: boolean;
  candidates(request: DesignRequest): Iterable<ConvSpec>;
}
