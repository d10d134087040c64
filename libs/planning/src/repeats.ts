/** Share of the shapes of a campaign that are visited again, if the request has no share. */
const DEFAULT_REPEATS = 0.03;
/** A campaign with this number of shapes or more visits at least `MIN_REPEATS` of them again: fewer have no 90th percentile. */
const FROM_SHAPES = 100;
const MIN_REPEATS = 10;
/** More repeated shapes do not improve the noise floor. */
const MAX_REPEATS = 1000;

/** 0.29 × 100 is 28.999… in floating point. */
const ROUNDING = 1e-9;

/**
 * How many of the shapes of a campaign are visited again.
 *
 * @param share 0 to 1; 0: none; undefined: the default of 3 %
 * @param shapes of the campaign
 * @returns at least 10 where there are 100 shapes or more, at most 1,000
 */
export function repeatedShapes(share: number | undefined, shapes: number): number {
  if (share === 0) return 0;
  const minimum = shapes >= FROM_SHAPES ? MIN_REPEATS : 0;
  return Math.min(MAX_REPEATS, Math.max(minimum, Math.floor((share ?? DEFAULT_REPEATS) * shapes + ROUNDING)));
}
