/** A tensor of a convolution; each has its own values. `gradient`: the gradient of the output, which backward passes read. */
export type InputName = 'input' | 'weights' | 'gradient';

const STREAMS: Record<InputName, number> = {
  input: 0x9e3779b9,
  weights: 0x85ebca6b,
  gradient: 0xc2b2ae35,
};

/** The values repeat after this number of elements, so that most of the filling is copying. It is prime, so that rows and channels differ. */
export const SEEDED_PERIOD = 1_048_573;

/**
 * Element `index` of an input in the order of its buffer. Values are uniform in (−1, 1), never 0, and the same for the same
 * seed on every machine. No element depends on the ones before it. They have 24 random bits, exact in f32, from a 32-bit
 * avalanche hash (Mueller's, as improved by Wellons' search: "lowbias32").
 *
 * @param seed 32-bit integer
 * @param index from 0, in the order of the buffer
 */
export function seededElement(name: InputName, seed: number, index: number): number {
  let x = ((index % SEEDED_PERIOD) ^ seed ^ STREAMS[name]) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  x ^= x >>> 15;
  return ((x >>> 8) + 0.5) / 2 ** 23 - 1;
}

/**
 * All elements of an input. They are random, because zeros draw less power and run at higher clocks.
 *
 * @param length elements
 * @returns a new array; element i is `seededElement(name, seed, i)`
 */
export function seededArray(name: InputName, seed: number, length: number): Float32Array<ArrayBuffer> {
  const array = new Float32Array(length);
  let filled = Math.min(length, SEEDED_PERIOD);
  for (let index = 0; index < filled; index++) array[index] = seededElement(name, seed, index);
  for (; filled < length; filled *= 2) array.copyWithin(filled, 0, filled);
  return array;
}
