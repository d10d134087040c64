import type { ConvSpec, Dtype } from '@alphaflops/conv';

/** What a design is asked with. */
export interface DesignRequest {
  readonly seed: number;
  /** Element types to plan; each candidate has one of them. */
  readonly dtypes: readonly [Dtype, ...Dtype[]];
  /** Dilated kernels, strides by axis and explicit padding too, where the design can draw them. */
  readonly allGeometries?: boolean;
}

/**
 * A sampling plan: a stream of candidate ConvSpecs that depends on nothing but the request. Candidates may repeat;
 * the planner drops what repeats and what does not fit.
 */
export interface Design {
  readonly name: string;
  readonly description: string;
  /** The stream never ends: the planner decides when to give up. */
  readonly endless: boolean;
  candidates(request: DesignRequest): Iterable<ConvSpec>;
}
