import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { canonicalJson } from './canonical-json.js';

/** A simple implementation with the tools of JavaScript, for comparison. */
const plainly = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );

it('equals the output of the reference implementation of RFC 8785', () => {
  fc.assert(
    fc.property(fc.jsonValue({ depthSize: 'medium', stringUnit: 'binary' }), (value) => {
      expect(canonicalJson(value)).toBe(canonicalize(value));
    }),
  );
});

it('gives the example of RFC 8785, section 3.2.2', () => {
  const text = String.raw`{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}`;
  expect(canonicalJson(JSON.parse(text))).toBe(
    String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],` +
      String.raw`"string":"€$\u000f\nA'B\"\\\\\"/"}`,
  );
});

it('is JSON with sorted keys for values that RFC 8785 does not define: lone surrogates and undefined', () => {
  const half = '\ud83d';
  const value = {
    b: undefined,
    a: [undefined, Number.NaN, -0, 1e21, '\u2028"', half],
    é: null,
    ä: { z: 1, y: [] },
  };
  expect(canonicalJson(value)).toBe(plainly(value));
});
