import type { ConvSpec } from '@alphaflops/conv';
import type { Draws } from '../draws.js';

/** Sizes in output channels of the tiles into which libraries divide a matrix product. */
const TILE_CHANNELS = [32, 64, 128] as const;

/**
 * The shape with its output channels changed to the nearest whole number of tiles, or to one channel more. The extra channel
 * needs a further, nearly empty tile, so that times jump there. Depthwise and grouped shapes are not changed.
 */
export function atTileBorder(spec: ConvSpec, draws: Draws): ConvSpec {
  const tile = draws.oneOf(TILE_CHANNELS);
  const beyond = draws.chance(0.5) ? 1 : 0;
  if (spec.groups > 1) return spec;
  return { ...spec, cout: Math.max(1, Math.round(spec.cout / tile)) * tile + beyond };
}
