/** A safetensors file byte by byte, which need not be a valid one. */

/** A header as written (a character a byte) and so many zero bytes behind it. `claimed`: what its length field says. */
export function safetensorsFile(header: string, dataBytes: number, claimed?: bigint): Uint8Array {
  const json = Buffer.from(header, 'latin1');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(claimed ?? BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(dataBytes)]);
}
