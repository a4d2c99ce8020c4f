import { packedCode } from './pack-codes.ts';

/** Elements [start, end) of blockwise codes. */
export interface BlockRange {
  readonly codes: Uint8Array;
  readonly bits: 4 | 8;
  readonly table: Float32Array;
  readonly block: number;
  /** Of the blocks that the range touches: the first belongs to block ⌊start / block⌋. */
  readonly absmax: Float32Array;
  readonly start: number;
  readonly end: number;
}

/** table[code] · absmax of its block, rounded once to float32, into the first end − start places of `into`. */
export function dequantizeBlocks(range: BlockRange, into: Float32Array): void {
  const { codes, bits, table, block, absmax, start, end } = range;
  const first = Math.floor(start / block);
  for (let from = start; from < end; ) {
    const b = Math.floor(from / block);
    const to = Math.min((b + 1) * block, end);
    const scale = absmax[b - first]!;
    for (let i = from; i < to; i++) {
      const code = bits === 8 ? codes[i]! : packedCode(codes, i);
      into[i - start] = table[code]! * scale;
    }
    from = to;
  }
}
