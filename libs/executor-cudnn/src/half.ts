import type { Dtype } from '@alphaflops/conv';

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** A number of magnitude below 65,520 as f16, rounded to nearest, ties to even. */
export function toF16(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  // Below 2^-14 f16 is spaced as just above it.
  const exponent = Math.max(-14, Math.floor(Math.log2(magnitude)));
  const steps = roundToEven(magnitude / 2 ** (exponent - 10));
  // A mantissa that is rounded up to the next power of two carries into the exponent, which is correct.
  return sign | (((exponent + 14) << 10) + steps);
}

/** A finite number as bf16: the upper half of an f32, rounded to nearest, ties to even. */
export function toBf16(value: number): number {
  float[0] = value;
  const [x = 0] = bits;
  return (x + 0x7fff + ((x >>> 16) & 1)) >>> 16;
}

/** Element `index` of an array of that dtype, given as bytes. */
export function elementAt(data: Buffer, dtype: Dtype): number {
  switch (dtype) {
    case 'f32':
      return data.readFloatLE();
    case 'bf16':
      bits[0] = data.readUInt16LE() << 16;
      return float[0] ?? NaN;
    case 'f16': {
      const x = data.readUInt16LE();
      const sign = x & 0x8000 ? -1 : 1;
      const [exponent, mantissa] = [(x >> 10) & 0x1f, x & 0x3ff];
      if (exponent === 0x1f) return mantissa === 0 ? sign * Infinity : NaN;
      return sign * (exponent === 0 ? mantissa * 2 ** -24 : (1024 + mantissa) * 2 ** (exponent - 25));
    }
  }
}

/** The numbers in the dtype's own bytes. */
export function encode(values: Float32Array, dtype: Dtype): Float32Array | Uint16Array {
  if (dtype === 'f32') return values;
  return Uint16Array.from(values, dtype === 'f16' ? toF16 : toBf16);
}

function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
