import { createHash } from 'node:crypto';
import { cbrt, cube, exp, hypot, log, log10, log2, pow, square } from './index.js';

/**
 * 4,000 numbers from `low` to `high`, uniform on a logarithmic scale, computed with arithmetic that is exact on every
 * engine.
 */
function spread(low: number, high: number): number[] {
  const ratio = Math.sqrt(Math.sqrt(Math.sqrt(Math.sqrt(high / low))));
  const values: number[] = [];
  let state = 12345;
  while (values.length < 4000) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    let value = low * (1 + state / 0x1_0000_0000);
    for (let k = state & 15; k > 0; k--) value *= ratio;
    values.push(value);
  }
  return values;
}

/** First digits of the SHA-256 of the results as IEEE 754 doubles, little-endian. */
function digestOf(results: number[]): string {
  const bytes = new DataView(new ArrayBuffer(8 * results.length));
  results.forEach((value, i) => {
    bytes.setFloat64(8 * i, value, true);
  });
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}

const wide = spread(1e-12, 1e12);
const small = spread(1e-6, 700);
const signed = small.map((value, i) => (i % 2 === 0 ? value : -value));

/**
 * The bits of all results on x86-64. Every engine, every processor and every update of the packages must give the
 * same bits.
 */
const GOLDEN: Record<string, [number[], string]> = {
  exp: [signed.map((x) => exp(x)), '2942f0bf87904c83'],
  log: [wide.map((x) => log(x)), '3a144d3ba03f438d'],
  log2: [wide.map((x) => log2(x)), '092360f9dc2051aa'],
  log10: [wide.map((x) => log10(x)), 'e159bc42394e659a'],
  cbrt: [wide.map((x) => cbrt(x)), 'bf14a5ee1debfeaa'],
  hypot: [wide.map((x, i) => hypot(x, small[i] ?? 0)), 'cd77f14058803b59'],
  pow: [wide.map((x, i) => pow(x, (signed[i] ?? 0) / 100)), '3eaef89331b7fb79'],
};

describe('elementary functions', () => {
  it.each(Object.entries(GOLDEN))('%s gives the same bits everywhere', (_name, [results, digest]) => {
    expect(results.every((value) => Number.isFinite(value))).toBe(true);
    expect(digestOf(results)).toBe(digest);
  });

  it('are correct to the last bit for known values', () => {
    expect(exp(2)).toBe(7.38905609893065);
    expect(log(2)).toBe(0.6931471805599453);
    expect(cbrt(2)).toBe(1.2599210498948732);
    expect(hypot(1, 1)).toBe(1.4142135623730951);
    expect(pow(2, 0.5)).toBe(1.4142135623730951);
    expect(pow(10, -3)).toBe(0.001);
    expect([log2(8), log10(100), square(-3), cube(-3)]).toEqual([3, 2, 9, -27]);
  });

  it('agree with any engine to 2 units in the last place', () => {
    const differ = (ours: number, engine: number) =>
      Math.abs(ours - engine) > 2 * Number.EPSILON * Math.abs(engine);
    const off = wide.filter((x, i) => {
      const y = signed[i] ?? 0;
      return (
        differ(exp(y), Math.exp(y)) ||
        differ(log(x), Math.log(x)) ||
        differ(cbrt(x), Math.cbrt(x)) ||
        differ(pow(x, y / 100), Math.pow(x, y / 100))
      );
    });
    expect(off).toEqual([]);
  });

  it('are correct at the limits: zero, infinity, and arguments without a result', () => {
    expect([exp(-Infinity), exp(Infinity), log(0), log(Infinity)]).toEqual([
      0,
      Infinity,
      -Infinity,
      Infinity,
    ]);
    expect([pow(0, 0), pow(0, -1), pow(Infinity, -1)]).toEqual([1, Infinity, 0]);
    expect([log(-1), pow(-8, 1 / 3), exp(NaN)]).toEqual([NaN, NaN, NaN]);
  });
});
