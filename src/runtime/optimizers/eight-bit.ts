/**
 * Moments in eight bits: blocks of 256 elements, each scaled by its largest magnitude, each element the nearest entry of a
 * map that is fine near zero. 2.03 bytes an element for both moments of Adam instead of 8.
 * @see https://arxiv.org/abs/2110.02861 sections 2.1 and 2.2
 */
import { dynamicMap } from '../quantization/code-tables.ts';
import type { MomentFormat } from './moment-format.ts';

/** Elements that share a scale. */
export const BLOCK = 256;

/**
 * The map for numbers that are never negative: decade 10^(i−6), i = 0 … 6, holds the means of adjacent points of
 * 2^(i+1) + 1 evenly spaced ones between 0.1 and 1; then 0 and 1. Ascending, in single precision as PyTorch makes it
 * (each point by a fused multiply and add from the nearer end).
 */
export const unsignedDynamicMap: Float32Array = (() => {
  const single = Math.fround;
  const low = single(0.1);
  const values = [0, 1];
  for (let i = 0; i < 7; i++) {
    const gaps = 2 ** (i + 1);
    const gap = single(single(1 - low) / gaps);
    const point = (k: number) => single(2 * k < gaps ? low + gap * k : 1 - gap * (gaps - k));
    for (let k = 0; k < gaps; k++) {
      const mean = single(single(point(k) + point(k + 1)) / 2);
      values.push(single(single(10 ** (i - 6)) * mean));
    }
  }
  return Float32Array.from(values).sort();
})();

/** Cells of floats with the same sign, exponent and seven bits of fraction: none holds two midpoints of a map. */
const CELL_SHIFT = 16;
const CELLS = 1 << (32 - CELL_SHIFT);

/** Codes without a branch, which would be guessed wrongly for every other element. */
interface Lookup {
  /** Code of the lowest number of each cell. */
  readonly first: Uint8Array;
  /** Order (`orderOf`) of the midpoint within the cell, from which the next code begins; the highest where there is none. */
  readonly border: Int32Array;
}

/** Whole numbers in the order of the floats with these bits. */
const orderOf = (bits: number): number => bits ^ ((bits >> 31) & 0x7fffffff);

function lookupFor(map: Float32Array): Lookup {
  const midpoints = map.map((value, i) => (i === 255 ? Number.POSITIVE_INFINITY : (value + map[i + 1]!) / 2));
  const orders = new Int32Array(midpoints.buffer).map(orderOf);
  const first = new Uint8Array(CELLS);
  const border = new Int32Array(CELLS);
  for (let cell = 0; cell < CELLS; cell++) {
    const [low, high] = [orderOf(cell << CELL_SHIFT), orderOf(((cell + 1) << CELL_SHIFT) - 1)].sort(
      (x, y) => x - y,
    );
    let code = 0;
    for (let step = 128; step > 0; step >>= 1) if (orders[code + step - 1]! < low!) code += step;
    first[cell] = code;
    border[cell] = Math.min(orders[code]!, high!);
  }
  return { first, border };
}

const lookups = new Map<Float32Array, Lookup>();

/** Made at the first use: it takes milliseconds, which who only checks a file should not wait for. */
function lookupOf(map: Float32Array): Lookup {
  const lookup = lookups.get(map) ?? lookupFor(map);
  lookups.set(map, lookup);
  return lookup;
}

const scaled = new Float32Array(BLOCK);
const scaledBits = new Int32Array(scaled.buffer);

/** Codes of a block; of two entries equally near the lower is taken. Returns the block's scale. */
function quantizeBlock(
  values: Float32Array,
  codes: Uint8Array,
  at: number,
  { first, border }: Lookup,
): number {
  const count = values.length;
  let largest = 0;
  for (let i = 0; i < count; i++) {
    const magnitude = Math.abs(values[i]!);
    if (magnitude > largest) largest = magnitude;
  }
  const factor = largest > 0 ? 1 / largest : 0;
  for (let i = 0; i < count; i++) scaled[i] = values[i]! * factor;
  for (let i = 0; i < count; i++) {
    const bits = scaledBits[i]!;
    const cell = bits >>> CELL_SHIFT;
    // Both lie in one cell, so their difference has a sign bit exactly where the border has been passed.
    codes[at + i] = first[cell]! + ((border[cell]! - orderOf(bits)) >>> 31);
  }
  return largest;
}

/** Bytes for the codes, and a float for each block. The bytes of a new state, 0, mean 0: the scale is 0 too. */
export function eightBit(signed: boolean): MomentFormat {
  const map = signed ? dynamicMap : unsignedDynamicMap;
  return {
    parts: [
      { suffix: '', dtype: 'u8', per: 1 },
      { suffix: '.absmax', dtype: 'f32', per: BLOCK },
    ],
    load([codes, absmax], start, count, values) {
      for (let i = 0; i < count; ) {
        const scale = absmax![(start + i) / BLOCK]!;
        const end = Math.min(i + BLOCK, count);
        for (; i < end; i++) values[i] = map[codes![start + i]!]! * scale;
      }
    },
    store(values, [codes, absmax], start, count) {
      const lookup = lookupOf(map);
      for (let i = 0; i < count; i += BLOCK) {
        const block = values.subarray(i, Math.min(i + BLOCK, count));
        absmax![(start + i) / BLOCK] = quantizeBlock(block, codes as Uint8Array, start + i, lookup);
      }
    },
  };
}
