import fc from 'fast-check';
import { canonicalJson } from './canonical-json.js';

/** The same with the tools of JavaScript. */
const plainly = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );

it('is JSON with sorted keys, for every value that JSON has', () => {
  fc.assert(
    fc.property(fc.jsonValue({ depthSize: 'medium', noUnicodeString: false }), (value) => {
      expect(canonicalJson(value)).toBe(plainly(value));
    }),
  );
});

it('leaves out what is not there, as JSON does', () => {
  const value = {
    b: undefined,
    a: [undefined, Number.NaN, -0, 1e21, '\u2028"'],
    é: null,
    ä: { z: 1, y: [] },
  };
  expect(canonicalJson(value)).toBe(plainly(value));
});
