/** The value of each code of each format, float32. */
import type { CodeFormat, QuantizedFormat } from './quantized-tensor.ts';

/**
 * NormalFloat: 8 positive quantiles of the normal distribution, 0 and 7 negative ones, divided by the largest. Recomputed
 * quantiles differ from these by 1e-7, so the numbers bitsandbytes ships are the definition.
 * @see https://arxiv.org/abs/2305.14314 section 3
 */
const nf4 = Float32Array.of(
  ...[-1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635],
  ...[-0.18477343022823334, -0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725],
  ...[0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941],
  ...[0.7229568362236023, 1],
);

/**
 * Sign, two bits of exponent, one of fraction, as bitsandbytes orders them, in twelfths of the largest. Zero stands twice
 * (codes 0 and 8); only code 0 is written.
 */
const fp4 = Float32Array.of(
  ...[0, 0.0625, 8, 12, 4, 6, 2, 3].map((twelfths) => twelfths / 12),
  ...[0, -0.0625, -8, -12, -4, -6, -2, -3].map((twelfths) => twelfths / 12),
);

/** code − zero over the largest level: symmetric, so the lowest code is never written. */
const linear = (codes: number, zero: number): Float32Array =>
  Float32Array.from({ length: codes }, (_, code) => (code - zero) / (zero - 1));

/** int8: value (code − 128) / 127; int4: (code − 8) / 7. The zero points are those of unsigned kernels. */
export const codeTables: { readonly [F in QuantizedFormat]: Float32Array } = {
  nf4,
  fp4,
  int8: linear(256, 128),
  int4: linear(16, 8),
};

/** The 127 positive values of the dynamic map below 1, ascending, little-endian float32. */
const POSITIVE =
  't6MTNZQaWjb/BQI3BkKyNzSANziz74o4Sx+6OAvXIzkF54w5g+LHOQFvATrB7B46gGo8Oj7oWTr/ZXc6ne+nOvyp8Totsh07XI9CO4ps' +
  'ZzvdJIY7dJOYOw0CqzukcL07O9/PO9NN4jtqvPQ7gZUDPM3MDDwYBBY8ZDsfPEjhOjzD9Wg8H4WLPFyPojyambk816PQPBOu5zxSuP48' +
  'R+EKPWdmFj2F6yE9o3AtPcP1OD3hekQ9AABQPR+FWz09Cmc9XY9yPXoUfj3NzIQ9XY+KPetRkD17FJY9CtebPZqZoT0oXKc9uB6tPUjh' +
  'sj3Xo7g9Z2a+PfUoxD2F68k9NDPbPQAA+D1mZgo+zcwYPjMzJz6ZmTU+AABEPmZmUj7NzGA+NDNvPpqZfT4AAIY+NDONPmZmlD6amZs+' +
  'zMyiPgAAqj4yM7E+Zma4PpqZvz7MzMY+AADOPjIz1T5mZtw+mpnjPszM6j4AAPI+NDP5PjMzAD/NzAM/ZmYHPwAACz+amQ4/NDMSP83M' +
  'FT9mZhk/AAAdP5qZID8zMyQ/zcwnP2dmKz8AAC8/mpkyPzQzNj/NzDk/Z2Y9PwAAQT+amUQ/MzNIP8zMSz9mZk8/AABTP5mZVj8zM1o/' +
  'zMxdP2ZmYT8AAGU/mploPzMzbD/MzG8/ZmZzPwAAdz+ZmXo/MzN+Pw==';

/**
 * The signed 8-bit dynamic map of bitsandbytes, ascending. Decade 10^(i−6), i = 0 … 6, holds the means of adjacent points
 * of 2^i + 1 evenly spaced ones between 0.1 and 1, with both signs; then 0 and 1 (−1 is absent). Shipped, because the last
 * bit of 44 entries depends on the order in which PyTorch adds.
 * @see https://arxiv.org/abs/1511.04561, https://arxiv.org/abs/2110.02861 section 1.3
 */
export const dynamicMap: Float32Array = (() => {
  const positive = new Float32Array(Uint8Array.from(Buffer.from(POSITIVE, 'base64')).buffer);
  return Float32Array.of(...positive.map((value) => -value).reverse(), 0, ...positive, 1);
})();

export const tableOf = (format: CodeFormat): Float32Array =>
  format === 'dynamic' ? dynamicMap : codeTables[format];
