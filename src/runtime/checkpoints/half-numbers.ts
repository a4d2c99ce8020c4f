/** f32 in two bytes a number: IEEE half precision and bfloat16, rounded to the nearest, ties to even. Little-endian. */

export type HalfFormat = 'f16' | 'bf16';

/** The bits of each number, as they are stored. What is too large for f16 becomes infinite, as PyTorch has it. */
export function toHalves(numbers: Float32Array, format: HalfFormat): Uint16Array {
  const bits = new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);
  return Uint16Array.from(bits, format === 'bf16' ? brainBits : halfBits);
}

const isNotANumber = (bits: number): boolean => (bits & 0x7fffffff) > 0x7f800000;

function brainBits(bits: number): number {
  if (isNotANumber(bits)) return (bits >>> 16) | 0x40;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

function halfBits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  if (isNotANumber(bits)) return sign | 0x7e00;
  const exponent = ((bits >>> 23) & 0xff) - 112;
  const mantissa = bits & 0x7fffff;
  if (exponent >= 31) return sign | 0x7c00;
  if (exponent > 0) return sign | roundedShift((exponent << 23) | mantissa, 13);
  // Below 2^-14 the steps stay 2^-24.
  return exponent < -10 ? sign : sign | roundedShift(mantissa | 0x800000, 14 - exponent);
}

/** x / 2^by to the nearest whole number, ties to even. */
function roundedShift(x: number, by: number): number {
  const whole = x >>> by;
  const rest = x & ((1 << by) - 1);
  const half = 1 << (by - 1);
  return rest > half || (rest === half && (whole & 1) === 1) ? whole + 1 : whole;
}
