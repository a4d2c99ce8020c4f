/**
 * The number types of GGUF tensors that ftc writes and reads, byte for byte as ggml's reference functions write them
 * (`quantize_row_q8_0_ref`, `quantize_row_q4_0_ref` in ggml/src/ggml-quants.c). All little-endian.
 */
import { toHalves } from '../checkpoints/half-numbers.ts';
import { halfToFloat } from '../checkpoints/number-formats.ts';

export interface NumberType {
  readonly name: string;
  /** In a tensor's entry. */
  readonly id: number;
  /** Numbers of a block; a row is whole blocks. */
  readonly block: number;
  /** Of a block. */
  readonly bytes: number;
  /** Whole blocks of numbers → their bytes. */
  encode(numbers: Float32Array, into: DataView): void;
  decode(from: DataView, numbers: Float32Array): void;
}

const f32: NumberType = {
  name: 'f32',
  id: 0,
  block: 1,
  bytes: 4,
  encode(numbers, into) {
    for (let i = 0; i < numbers.length; i++) into.setFloat32(4 * i, numbers[i]!, true);
  },
  decode(from, numbers) {
    for (let i = 0; i < numbers.length; i++) numbers[i] = from.getFloat32(4 * i, true);
  },
};

const f16: NumberType = {
  name: 'f16',
  id: 1,
  block: 1,
  bytes: 2,
  encode(numbers, into) {
    toHalves(numbers, 'f16').forEach((half, i) => {
      into.setUint16(2 * i, half, true);
    });
  },
  decode(from, numbers) {
    for (let i = 0; i < numbers.length; i++) numbers[i] = halfToFloat(from.getUint16(2 * i, true));
  },
};

const inverseOf = (scale: number): number => (scale === 0 ? 0 : Math.fround(1 / scale));
const halfOf = (scale: number): number => toHalves(Float32Array.of(scale), 'f16')[0]!;

/** A block: scale f16, then 32 signed bytes; scale = largest magnitude / 127. */
const q8_0: NumberType = {
  name: 'q8_0',
  id: 8,
  block: 32,
  bytes: 34,
  encode(numbers, into) {
    for (let block = 0; block * 32 < numbers.length; block++) {
      const row = numbers.subarray(block * 32, block * 32 + 32);
      let largest = 0;
      for (const x of row) largest = Math.max(largest, Math.abs(x));
      const scale = Math.fround(largest / 127);
      const inverse = inverseOf(scale);
      into.setUint16(block * 34, halfOf(scale), true);
      for (let i = 0; i < 32; i++)
        into.setInt8(block * 34 + 2 + i, roundAway(Math.fround(row[i]! * inverse)));
    }
  },
  decode(from, numbers) {
    for (let block = 0; block * 32 < numbers.length; block++) {
      const scale = halfToFloat(from.getUint16(block * 34, true));
      for (let i = 0; i < 32; i++) numbers[block * 32 + i] = scale * from.getInt8(block * 34 + 2 + i);
    }
  },
};

/** C's roundf: halves go away from zero. */
const roundAway = (x: number): number => Math.sign(x) * Math.floor(Math.abs(x) + 0.5);

/**
 * A block: scale f16, then 16 bytes of which the low halves are numbers 0 to 15 and the high halves 16 to 31; scale = the
 * number of largest magnitude / −8, a code c stands for (c − 8) · scale.
 */
const q4_0: NumberType = {
  name: 'q4_0',
  id: 2,
  block: 32,
  bytes: 18,
  encode(numbers, into) {
    for (let block = 0; block * 32 < numbers.length; block++) {
      const row = numbers.subarray(block * 32, block * 32 + 32);
      let extreme = 0;
      for (const x of row) if (Math.abs(x) > Math.abs(extreme)) extreme = x;
      const scale = Math.fround(extreme / -8);
      const inverse = inverseOf(scale);
      const code = (x: number) => Math.min(15, Math.trunc(Math.fround(Math.fround(x * inverse) + 8.5)));
      into.setUint16(block * 18, halfOf(scale), true);
      for (let i = 0; i < 16; i++)
        into.setUint8(block * 18 + 2 + i, code(row[i]!) | (code(row[i + 16]!) << 4));
    }
  },
  decode(from, numbers) {
    for (let block = 0; block * 32 < numbers.length; block++) {
      const scale = halfToFloat(from.getUint16(block * 18, true));
      for (let i = 0; i < 16; i++) {
        const codes = from.getUint8(block * 18 + 2 + i);
        numbers[block * 32 + i] = ((codes & 15) - 8) * scale;
        numbers[block * 32 + 16 + i] = ((codes >> 4) - 8) * scale;
      }
    }
  },
};

export const numberTypes = { f32, f16, q8_0, q4_0 } as const;
export type NumberTypeName = keyof typeof numberTypes;

/** Of `count` numbers, which are whole blocks. */
export const byteLengthOf = ({ block, bytes }: NumberType, count: number): number => (count / block) * bytes;
