import { elementAt, encode, toBf16, toF16 } from './half.js';

const bytesOf = (bits: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(bits);
  return bytes;
};

/** From the tables of IEEE 754: each value is exact, or halfway between two and goes to the even one. */
it.each([
  [0, 0x0000],
  [1, 0x3c00],
  [-2, 0xc000],
  [0.333251953125, 0x3555],
  [65504, 0x7bff],
  [2 ** -14, 0x0400],
  [2 ** -14 - 2 ** -24, 0x03ff],
  [2 ** -24, 0x0001],
  [2 ** -25, 0x0000],
  [1 + 2 ** -11, 0x3c00],
  [1 + 3 * 2 ** -11, 0x3c02],
  [1 - 2 ** -12, 0x3c00],
  [-(1 - 2 ** -11), 0xbbff],
])('%d is %i in f16', (value, bits) => {
  expect(toF16(value)).toBe(bits);
});

it.each([
  [0, 0x0000],
  [1, 0x3f80],
  [-2, 0xc000],
  [1 + 2 ** -8, 0x3f80],
  [1 + 3 * 2 ** -8, 0x3f82],
  [1 - 2 ** -9, 0x3f80],
])('%d is %i in bf16', (value, bits) => {
  expect(toBf16(value)).toBe(bits);
});

it('decodes all that it encodes', () => {
  const finite = (end: number): number[] => Array.from({ length: end }, (_, bits) => bits);
  expect(finite(0x7c00).filter((bits) => toF16(elementAt(bytesOf(bits), 'f16')) !== bits)).toEqual([]);
  expect(finite(0x7f80).filter((bits) => toBf16(elementAt(bytesOf(bits), 'bf16')) !== bits)).toEqual([]);
  expect(elementAt(bytesOf(0xfc00), 'f16')).toBe(-Infinity);
  expect(elementAt(bytesOf(0x7e00), 'f16')).toBeNaN();
});

it('keeps f32 as it is', () => {
  const values = new Float32Array([0.1, -0.7]);
  expect(encode(values, 'f32')).toBe(values);
  expect([...encode(values, 'f16')]).toEqual([toF16(values[0] ?? 0), toF16(values[1] ?? 0)]);
});
