import type { ConvSpec } from '@alphaflops/conv';
import type { Draws } from '../draws.js';

/** Output channels of the tiles that libraries cut a matrix product into. */
const TILE_CHANNELS = [32, 64, 128] as const;

/**
 * The shape with its output channels moved to the nearest whole number of tiles, or to one more, which opens a further,
 * nearly empty tile: times jump there. Depthwise and grouped shapes stay as they are.
 */
export function atTileBorder(spec: ConvSpec, draws: Draws): ConvSpec {
  const tile = draws.oneOf(TILE_CHANNELS);
  const beyond = draws.chance(0.5) ? 1 : 0;
  if (spec.groups > 1) return spec;
  return { ...spec, cout: Math.max(1, Math.round(spec.cout / tile)) * tile + beyond };
}
