/** Two four-bit codes to a byte, the first in the high nibble. */

/** Code `i` of packed ones. */
export const packedCode = (packed: Uint8Array, i: number): number =>
  (packed[i >>> 1]! >> ((~i & 1) << 2)) & 15;

/** Puts code `i` where there is none yet. */
export function putPackedCode(packed: Uint8Array, i: number, code: number): void {
  packed[i >>> 1]! |= code << ((~i & 1) << 2);
}

/** An odd count leaves `padding` in the last low nibble. */
export function packCodes(codes: Uint8Array, padding: number): Uint8Array {
  const packed = new Uint8Array(Math.ceil(codes.length / 2));
  for (let i = 0; i < codes.length; i++) putPackedCode(packed, i, codes[i]!);
  if (codes.length % 2 === 1) putPackedCode(packed, codes.length, padding);
  return packed;
}

/** The first `count` codes, a byte each. */
export function unpackCodes(packed: Uint8Array, count: number): Uint8Array {
  const codes = new Uint8Array(count);
  for (let i = 0; i < count; i++) codes[i] = packedCode(packed, i);
  return codes;
}
