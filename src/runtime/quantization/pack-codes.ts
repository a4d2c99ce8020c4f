/** Two four-bit codes to a byte, the first in the high nibble. */

/** An odd count leaves `padding` in the last low nibble. */
export function packCodes(codes: Uint8Array, padding: number): Uint8Array {
  const packed = new Uint8Array(Math.ceil(codes.length / 2));
  for (let i = 0; i < packed.length; i++) packed[i] = (codes[2 * i]! << 4) | (codes[2 * i + 1] ?? padding);
  return packed;
}

/** The first `count` codes, a byte each. */
export function unpackCodes(packed: Uint8Array, count: number): Uint8Array {
  const codes = new Uint8Array(count);
  for (let i = 0; i < count; i++) codes[i] = (packed[i >> 1]! >> ((~i & 1) << 2)) & 15;
  return codes;
}
