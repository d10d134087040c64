/**
 * Elementary functions with the same result, to the last bit, on every JavaScript engine and every processor.
 *
 * ECMAScript leaves the accuracy of `Math.exp`, `Math.log`, `Math.pow`, `**` and similar functions to the engine, and
 * engines change them: V8 computes `Math.pow` differently since Node 24. These are FreeBSD's msun (fdlibm) in the
 * port of stdlib-js. They use only additions, products, quotients, square roots and bit operations, which IEEE 754
 * and ECMAScript define exactly. ECMAScript has no fused multiply-add, so an engine may not contract them either.
 *
 * The packages are pinned: another version may round differently, and a fit would give a different document.
 */
export { default as cbrt } from '@stdlib/math-base-special-cbrt';
export { default as exp } from '@stdlib/math-base-special-exp';
export { default as hypot } from '@stdlib/math-base-special-hypot';
export { default as log } from '@stdlib/math-base-special-ln';
export { default as log10 } from '@stdlib/math-base-special-log10';
export { default as log2 } from '@stdlib/math-base-special-log2';
export { default as pow } from '@stdlib/math-base-special-pow';

/**
 * Returns x². Engines may compute `x ** 2` with their `Math.pow`. A product is exact to half a unit in the last
 * place.
 */
export const square = (x: number): number => x * x;

/** x³. */
export const cube = (x: number): number => x * x * x;
