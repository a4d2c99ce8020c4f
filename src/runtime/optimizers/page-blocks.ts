/** Which elements of which tensors have their state in which block of a page file, and where in the block. */
import type { Chain } from './chain.ts';

/** An array of the state of a segment. Offsets are in bytes, from the start of the block. */
interface SegmentPart {
  /** Of the whole tensor's array: `m:NAME`. */
  readonly key: string;
  readonly dtype: 'f32' | 'u8';
  readonly offset: number;
  readonly length: number;
  readonly bytes: number;
  /** Its numbers in a block that is at hand. */
  view(block: Uint8Array): Float32Array | Uint8Array;
}

/** Elements start … start + count − 1 of a tensor. */
export interface Segment {
  readonly name: string;
  readonly start: number;
  readonly count: number;
  readonly parts: readonly SegmentPart[];
}

export interface PageBlock {
  /** First byte in the file. */
  readonly position: number;
  readonly bytes: number;
  readonly segments: readonly Segment[];
}

/** Segments start at multiples of it: of every number of elements that share one of the state. */
const GRAIN = 256;
const ALIGN = 8;

const aligned = (bytes: number): number => Math.ceil(bytes / ALIGN) * ALIGN;

/** Small tensors share a block, large ones are spread over several; a block has at least GRAIN elements. */
export function blocksOf(
  chain: Chain,
  sizes: ReadonlyMap<string, number>,
  blockBytes: number,
): readonly PageBlock[] {
  const blocks: PageBlock[] = [];
  let segments: Segment[] = [];
  let position = 0;
  let filled = 0;
  const end = () => {
    if (segments.length === 0) return;
    blocks.push({ position, bytes: filled, segments });
    position += filled;
    segments = [];
    filled = 0;
  };
  for (const [name, elements] of sizes) {
    const layout = chain.layout(name, elements);
    const grainBytes = layout.reduce((sum, { dtype, per }) => sum + (widthOf(dtype) * GRAIN) / per, 0);
    for (let start = 0; start < elements; ) {
      const grains = grainBytes === 0 ? elements : Math.floor((blockBytes - filled) / grainBytes);
      if (grains < 1 && filled > 0) end();
      else {
        const count = Math.min(Math.max(1, grains) * GRAIN, elements - start);
        const parts: SegmentPart[] = [];
        for (const { key, dtype, per } of layout) {
          const part = partAt(key, dtype, filled, Math.ceil(count / per));
          filled += aligned(part.bytes);
          parts.push(part);
        }
        segments.push({ name, start, count, parts });
        start += count;
      }
    }
  }
  end();
  return blocks;
}

/** Of the file. */
export const bytesOf = (blocks: readonly PageBlock[]): number =>
  blocks.reduce((total, { bytes }) => total + bytes, 0);

/** Of the largest block. There may be more of them than a call takes arguments. */
export const longestOf = (blocks: readonly PageBlock[]): number =>
  blocks.reduce((longest, { bytes }) => Math.max(longest, bytes), 0);

const widthOf = (dtype: 'f32' | 'u8'): number => (dtype === 'f32' ? 4 : 1);

function partAt(key: string, dtype: 'f32' | 'u8', offset: number, length: number): SegmentPart {
  return {
    key,
    dtype,
    offset,
    length,
    bytes: length * widthOf(dtype),
    view: ({ buffer, byteOffset }) =>
      dtype === 'f32'
        ? new Float32Array(buffer as ArrayBuffer, byteOffset + offset, length)
        : new Uint8Array(buffer as ArrayBuffer, byteOffset + offset, length),
  };
}
