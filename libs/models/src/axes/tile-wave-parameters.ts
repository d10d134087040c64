import { exp, log, pow } from '@alphaflops/elementary';
import { placesOf, type ParameterDefinition, type ParameterUnit } from '../form.js';

/**
 * Sizes of output tiles (points × channels). One processor computes one tile at a time. On a serial device (one processor) a
 * tile can be a single output, so that time can be proportional to the work.
 */
const PARALLEL_TILES = [[32, 32], [64, 64], [128, 64], [64, 128], [128, 128], [256, 128]] as const; // prettier-ignore
const SERIAL_TILES = [[1, 1], [1, 8], [8, 8], [32, 32], [64, 64], [128, 128]] as const; // prettier-ignore
/** Number of tile sizes of a device. */
export const TILES = 6;

export const tilesOf = (processors: number): readonly (readonly [number, number])[] =>
  processors === 1 ? SERIAL_TILES : PARALLEL_TILES;

/** A parameter of the formula; with `perTile`, a vector has one for each tile. */
interface Descriptor<Name extends string> extends Omit<ParameterDefinition, 'name'> {
  readonly name: Name;
  readonly perTile: boolean;
  /** Whether the search uses the logarithm; vectors then hold the logarithm. */
  readonly isLogarithmic: boolean;
  /** Start value of a search. `outputs` is the number of outputs of the tile. */
  readonly start: (processors: number, outputs: number) => number;
}

const parameter = <Name extends string>(
  name: Name,
  unit: ParameterUnit,
  start: number | Descriptor<Name>['start'],
  description: string,
): Descriptor<Name> => ({
  ...{ name, unit, description, perTile: false, isLogarithmic: true, lower: 0, upper: Infinity },
  start: typeof start === 'number' ? () => start : start,
});
const ofTile = <Name extends string>(...row: Parameters<typeof parameter<Name>>): Descriptor<Name> => ({
  ...parameter(...row),
  perTile: true,
});
const slowdown = <Name extends string>(name: Name, description: string): Descriptor<Name> => ({
  ...parameter(name, '1', 0.1, description),
  ...{ isLogarithmic: false, upper: 5 },
});

const stepMs = (outputs: number): number => 3e-4 * pow(outputs / 4096, 0.7);

/** All parameters, in the order of every vector. Start values are for an NVIDIA H100; one factor scales its times to the device. */
const TABLE = [
  parameter('t0', { per: '' }, 2e-3, 'time of the smallest convolution: launch cost'),
  ofTile(
    'a',
    { per: '' },
    (processors, outputs) => (processors === 1 ? stepMs(outputs) : 2e-3),
    'fixed time of a tile',
  ),
  ofTile(
    'b',
    { per: ' per step' },
    (_, outputs) => stepMs(outputs),
    'time of one step of 32 multiply-adds per output of a tile',
  ),
  parameter('m_in', { per: '/MB' }, 4e-4, 'time to read the input'),
  parameter('m_out', { per: '/MB' }, 4e-4, 'time to write the output'),
  parameter('m_w', { per: '/MB' }, 4e-4, 'time to read the weights'),
  parameter('split', '1', 5, 'steps are split over idle processors; the larger, the less it costs'),
  slowdown('u', 'log slow-down when input channels are not aligned to 16 bytes'),
  slowdown('v', 'log slow-down when output channels are not aligned to 16 bytes'),
  parameter('z_w', { per: ' per 10⁴ channel pairs' }, 1e-4, 'time to transform the weights'),
  parameter(
    'z_f',
    { per: ' per 10⁴ channel pairs and tile' },
    1e-4,
    'products of a Fourier-transform convolution',
  ),
];

/** The elements of a vector: one for each parameter, or one for each of its tiles. */
const ELEMENTS = TABLE.flatMap((of) =>
  Array.from({ length: of.perTile ? TILES : 1 }, (_, tile) => ({ ...of, tile })),
);
/** Number of elements of a vector. */
export const P = ELEMENTS.length;
/** Index of each parameter in a vector; for a parameter with tiles, the index of its first element. */
export const PLACE = placesOf(ELEMENTS);
const LOGARITHMIC = ELEMENTS.map(({ isLogarithmic }) => isLogarithmic);

/** Whether element j of a vector is a logarithm. */
export const isLogarithmic = (j: number): boolean => LOGARITHMIC[j] ?? false;

/** The elements of a vector for a device with this number of processors, with their start values. */
export function tileWaveParameters(
  processors: number,
): readonly (ParameterDefinition & { readonly start: number })[] {
  const tiles = tilesOf(processors);
  return ELEMENTS.map(({ name, perTile, tile, unit, lower, upper, description, start }) => {
    const [points, channels] = tiles[tile] ?? [0, 0];
    const size = `${points}x${channels}`;
    return {
      ...{ unit, lower, upper },
      name: perTile ? `${name}_${size}` : name,
      description: perTile ? `${description} of ${size} outputs` : description,
      start: start(processors, points * channels),
    };
  });
}

/** A parameter vector as values. */
export function valuesOf(vector: ArrayLike<number>, out = new Float64Array(P)): Float64Array {
  for (let j = 0; j < P; j++) out[j] = isLogarithmic(j) ? exp(vector[j] ?? 0) : (vector[j] ?? 0);
  return out;
}

/** Start of a search on a device that is `factor` times as slow as the device of the start values. */
export function startVector(processors: number, factor: number): Float64Array {
  return Float64Array.from(tileWaveParameters(processors), ({ start, unit }, j) =>
    isLogarithmic(j) ? log(typeof unit !== 'string' ? start * factor : start) : start,
  );
}

/** Largest distance of a logarithm from the start of a search. */
const REACH = 12;

/** Bounds of a search around `centre`: logarithms at most `reach` away, the others within their definition. */
export function boundsAround(
  centre: Float64Array,
  reach = REACH,
): { lower: Float64Array; upper: Float64Array } {
  const bound = (side: 'lower' | 'upper', sign: number) =>
    Float64Array.from(ELEMENTS, (element, j) =>
      element.isLogarithmic ? (centre[j] ?? 0) + sign * reach : element[side],
    );
  return { lower: bound('lower', -1), upper: bound('upper', 1) };
}
